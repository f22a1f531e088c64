"""Addresses: the API under /api/v1/, the admin, figures for Prometheus, and the pages."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
if find_spec("dashboard.api"):
    urlpatterns.append(path("api/v1/", include("dashboard.api.urls")))
if find_spec("dashboard.views"):
    urlpatterns.append(path("", include("dashboard.views.urls")))
