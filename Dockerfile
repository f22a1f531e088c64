# One image for every process of Lineside: `web` serves pages and sockets, `worker` reads the log.
FROM python:3.11-slim
RUN pip install --no-cache-dir uv && useradd --create-home lineside
WORKDIR /app
COPY pyproject.toml README.md ./
RUN uv sync --no-dev --no-cache
COPY manage.py ./
COPY coordination coordination
COPY dashboard dashboard
COPY templates templates
COPY static static
ENV PATH="/app/.venv/bin:$PATH" PYTHONUNBUFFERED=1 LINESIDE_STATE=/app/var
RUN LINESIDE_SECRET_KEY=only-to-collect-files python manage.py collectstatic --noinput \
    && mkdir -p var && chown lineside var
USER lineside
EXPOSE 8000
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "dashboard.asgi:application"]
