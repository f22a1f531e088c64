"""Settings: out of the environment only (`LINESIDE_*`), each read once and typed.

What is wrong with them is in `LINESIDE_PROBLEMS` and comes out of `manage.py check` (see `checks.py`).
"""

import os
from pathlib import Path
from urllib.parse import quote

from dashboard.databases import database
from dashboard.environment import Environment
from dashboard.mailing import mailing
from dashboard.secretkey import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = Environment(os.environ)

# What this installation is
LINESIDE_STATE = (BASE_DIR / Path(_environment.text("STATE", "var")).expanduser()).resolve()
LINESIDE_LOG = _environment.url(
    "LOG", f"sqlite:///{quote(str(LINESIDE_STATE / 'log.sqlite3'))}", ("sqlite", "kafka", "http", "https", "memory")
)
LINESIDE_TOPICS = _environment.text("TOPICS")
LINESIDE_NAMESPACE = _environment.text("NAMESPACE", "coord")
LINESIDE_TENANT = _environment.text("TENANT", "default")
LINESIDE_CHANNELS = _environment.text("CHANNELS", "memory")
# Where links in mails and webhooks lead.
LINESIDE_URL = _environment.url("URL", "http://localhost:8000", ("http", "https"))
_MAILING = mailing(_environment)
DEFAULT_FROM_EMAIL, EMAIL_TIMEOUT = _MAILING["DEFAULT_FROM_EMAIL"], _MAILING["EMAIL_TIMEOUT"]
EMAIL_BACKEND = _MAILING["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _MAILING.get("EMAIL_FILE_PATH")
EMAIL_HOST, EMAIL_PORT = _MAILING.get("EMAIL_HOST", "localhost"), _MAILING.get("EMAIL_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAILING.get("EMAIL_HOST_USER", ""), _MAILING.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAILING.get("EMAIL_USE_SSL", False), _MAILING.get("EMAIL_USE_TLS", False)

# Who may reach it
_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = _environment.names_in("ALLOWED_HOSTS", ",".join(_LOCAL_HOSTS))
LINESIDE_LOCAL = all(host in _LOCAL_HOSTS for host in ALLOWED_HOSTS)
SECRET_KEY = secret_key(_environment, LINESIDE_STATE, local=LINESIDE_LOCAL)
DEBUG = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LINESIDE_LOCAL
SESSION_COOKIE_NAME = "lineside_session"
CSRF_COOKIE_NAME = "lineside_csrf"
# A working day: whoever comes back tomorrow signs in again.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
# Whether every other host under the same domain is reached by TLS is known to its owner alone.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_HSTS_SECONDS = 0 if LINESIDE_LOCAL else 31_536_000
# The proxy that ends TLS is trusted only where the operator says that there is one: else anybody could claim it.
LINESIDE_TRUST_PROXY = _environment.flag("TRUST_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if LINESIDE_TRUST_PROXY else None
SECURE_SSL_REDIRECT = LINESIDE_TRUST_PROXY and not LINESIDE_LOCAL
X_FRAME_OPTIONS = "DENY"
# Sign-in by the organisation's identity provider, beside passwords
LINESIDE_OIDC_ISSUER = _environment.text("OIDC_ISSUER")
LINESIDE_OIDC_CLIENT_ID = _environment.text("OIDC_CLIENT_ID")
LINESIDE_OIDC_CLIENT_SECRET = _environment.text("OIDC_CLIENT_SECRET")
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "django_htmx",
    "dashboard",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "dashboard.csp.content_security_policy",
    "dashboard.api.refusals.problems_only",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.tenancy.limited_to_tenants",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(_environment, LINESIDE_STATE)}
DATABASE_ROUTERS = ["dashboard.past.tables.PastRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    if LINESIDE_CHANNELS == "memory"
    else {
        # Pub/sub may drop, which the hub heals; the list-based layer would hold what nobody reads any more.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [LINESIDE_CHANNELS]},
    }
}

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "board"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "dashboard.plotlyscript.PlotlyFinder",
]
# Collected files carry a hash in their names and may be cached for ever; without `collectstatic` (one machine,
# first start) they are served straight from where they lie.
_COLLECTED = (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "dashboard": {"level": "INFO"},
        "coordination": {"level": "INFO"},
        # A partition without a leader for a moment is tried again and is nobody's business.
        "aiokafka.producer.sender": {"level": "ERROR"},
        "django.request": {"level": "ERROR"},
    },
}

LINESIDE_NAMES = tuple(_environment.names)
LINESIDE_PROBLEMS = tuple(_environment.problems)
