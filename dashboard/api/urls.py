"""The API's addresses. Importing a module registers its calls; the order matters where one address begins another."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver

from dashboard.api import agents, approvals, healthcall, letters, run, runs
from dashboard.api.root import api

CALLS = (healthcall, runs, run, approvals, agents, letters)

patterns: list[URLPattern | URLResolver] = api.urls[0]
for pattern in patterns:
    if isinstance(pattern, URLPattern):
        # The calls tell for themselves who is not signed in: with a problem document, not with a page.
        pattern.callback = login_not_required(pattern.callback)

urlpatterns: list[URLPattern | URLResolver] = patterns
