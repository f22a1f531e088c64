"""The entry for Daphne: pages and API over HTTP, deltas over one WebSocket path."""

import os
import warnings

from channels.auth import AuthMiddlewareStack  # type: ignore[import-untyped]
from channels.routing import ProtocolTypeRouter, URLRouter  # type: ignore[import-untyped]
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
with warnings.catch_warnings():
    # Before `collectstatic` there is no such folder; files are then served from where they lie.
    warnings.filterwarnings("ignore", "No directory at", UserWarning)
    http = get_asgi_application()

from dashboard.decisionkey import prepare_keys
from dashboard.origin import SameOrigin
from dashboard.routing import websocket_urlpatterns

prepare_keys()

application = ProtocolTypeRouter(
    {"http": http, "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))}
)
