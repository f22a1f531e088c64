"""Addresses: the API under /api/v1/, the admin, figures for Prometheus, and the pages."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from dashboard.metrics import metrics

handler500 = "dashboard.views.failure.failure"
urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("api/v1/", include("dashboard.api.urls")),
    path("", include("dashboard.views.urls")),
]
