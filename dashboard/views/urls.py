"""The pages' addresses. Their names are a promise; see the design of each page in its view."""

from django.urls import URLPattern, URLResolver, path

from dashboard.views.agents import agent, agents
from dashboard.views.approvals import queue, review_page
from dashboard.views.audit import audit
from dashboard.views.board import board, runs
from dashboard.views.compare import compare
from dashboard.views.letters import letters
from dashboard.views.record import record
from dashboard.views.run import run
from dashboard.views.signin import SignIn, SignOut, sign_in_link
from dashboard.views.task import task
from dashboard.views.topics import topics
from dashboard.views.workflow import workflow

urlpatterns: list[URLPattern | URLResolver] = [
    path("", board, name="board"),
    path("runs/", runs, name="runs"),
    path("runs/compare/", compare, name="compare"),
    path("runs/<path:run_id>/tasks/<path:task_id>/", task, name="task"),
    path("runs/<path:run_id>/", run, name="run"),
    path("workflows/<path:workflow>/", workflow, name="workflow"),
    path("approvals/", queue, name="approvals"),
    path("approvals/<path:approval_id>/", review_page, name="review"),
    path("agents/", agents, name="agents"),
    path("agents/<path:group>/", agent, name="agent"),
    path("records/<str:topic>/<int:partition>/<int:offset>/", record, name="record"),
    path("dead-letters/", letters, name="dead-letters"),
    path("audit/", audit, name="audit"),
    path("topics/", topics, name="topics"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>", sign_in_link, name="sign-in-link"),
    path("sign-in/<str:token>/", sign_in_link),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
]
