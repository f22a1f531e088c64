"""The one WebSocket path."""

from django.urls import URLPattern, URLResolver, path

from dashboard.consumers import LiveConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [path("ws/live", LiveConsumer.as_asgi())]
