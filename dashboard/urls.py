"""Addresses: the API under /api/v1/, the admin, figures for Prometheus, and the pages."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from dashboard.metrics import metrics

handler500 = "dashboard.views.failure.failure"
urlpatterns: list[URLPattern | URLResolver] = [
    # One way in: the admin's own form knows no limit of tries.
    path("admin/login/", login_not_required(RedirectView.as_view(pattern_name="sign-in", query_string=True))),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("api/v1/", include("dashboard.api.urls")),
    path("", include("dashboard.views.urls")),
]
