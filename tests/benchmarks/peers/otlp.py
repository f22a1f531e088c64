"""Phoenix and MLflow: a trace a run, three spans a task, over OTLP.

python otlp.py phoenix|mlflow RUNS TASKS PORT
"""

import sys
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from work import Server, ask, measure, runs

SPANS_A_TASK = 3
QUERY = "{ projects { edges { node { name recordCount } } } }"


def feed(endpoint: str, headers: dict[str, str], count: int, tasks: int) -> None:
    """Send everything, and wait until it is accepted."""
    provider = TracerProvider(resource=Resource.create({"service.name": "bench"}))
    exporter = OTLPSpanExporter(endpoint=endpoint, headers=headers, timeout=60)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1_000_000, max_export_batch_size=1_000))
    tracer = provider.get_tracer("bench")
    for number, run in enumerate(runs(count, tasks)):
        root = tracer.start_span(f"run {number}", start_time=run[0].started)
        context = trace.set_span_in_context(root)
        for task in run:
            span = tracer.start_span(f"{task.name} {task.number}", context=context, start_time=task.started)
            inner = trace.set_span_in_context(span)
            for kind in ("model", "tool"):
                call = tracer.start_span(f"{kind} call", context=inner, start_time=task.started)
                call.set_attribute("tokens", 1020)
                call.end(end_time=task.ended)
            if task.failed:
                span.set_status(Status(StatusCode.ERROR, f"row {task.number} is empty"))
            span.end(end_time=task.ended)
        root.end(end_time=run[-1].ended)
    provider.force_flush(600_000)


def phoenix(port: int) -> tuple[Server, str, dict[str, str], Callable[[], int]]:
    """A server of Phoenix on SQLite; counts spans."""
    base = f"http://127.0.0.1:{port}"
    environment = {"PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(port + 1), "PHOENIX_WORKING_DIR": "FOLDER"}
    server = Server([sys.executable, "-m", "phoenix.server.main", "serve"], base, environment)

    def seen() -> int:
        projects = ask(f"{base}/graphql", {"query": QUERY})["data"]["projects"]["edges"]
        return sum(int(edge["node"]["recordCount"]) for edge in projects) // SPANS_A_TASK

    return server, f"{base}/v1/traces", {}, seen


def mlflow(port: int) -> tuple[Server, str, dict[str, str], Callable[[], int]]:
    """A server of MLflow on SQLite; counts traces that can be searched for, times the tasks of each."""
    base, tasks = f"http://127.0.0.1:{port}", int(sys.argv[3])
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--backend-store-uri"]
    server = Server([*command, "sqlite:///FOLDER/mlflow.sqlite3"], f"{base}/health")

    def seen() -> int:
        place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
        found, token = 0, ""
        while True:
            body = {"locations": [place], "max_results": 500, "page_token": token}
            answer = ask(f"{base}/api/3.0/mlflow/traces/search", body)
            found, token = found + len(answer.get("traces", ())), answer.get("next_page_token", "")
            if not token:
                return found * tasks

    return server, f"{base}/v1/traces", {"x-mlflow-experiment-id": "0"}, seen


def main(name: str, count: int, tasks: int, port: int) -> None:
    """Start the server, feed it, say what it took."""
    server, endpoint, headers, seen = {"phoenix": phoenix, "mlflow": mlflow}[name](port)
    try:
        measure(server, count * tasks, lambda: feed(endpoint, headers, count, tasks), seen, 600)
    finally:
        server.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
