"""The pages' addresses. Their names are a promise; see the design of each page in its view."""

from django.urls import URLPattern, URLResolver, path

from dashboard.views.agents import agent, agents
from dashboard.views.alerts import alerts
from dashboard.views.approvals import queue, review_page
from dashboard.views.audit import audit, audit_export
from dashboard.views.board import board, runs
from dashboard.views.compare import compare
from dashboard.views.flow import flow
from dashboard.views.letters import letters, redrive
from dashboard.views.notifications import notifications, send_again
from dashboard.views.oversight import decided, oversight
from dashboard.views.readiness import readiness
from dashboard.views.record import record
from dashboard.views.rules import activate_rule, kill_switch, policy_rule, policy_rules, save_rule, stop_rule
from dashboard.views.run import run
from dashboard.views.schemas import schemas
from dashboard.views.signin import SignIn, SignOut, oidc_begin, oidc_return, sign_in_link
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
    path("decisions/", decided, name="decided"),
    path("oversight/", oversight, name="oversight"),
    path("notifications/", notifications, name="notifications"),
    path("notifications/<str:number>/again/", send_again, name="send-again"),
    path("policies/", policy_rules, name="policy-rules"),
    path("policies/save/", save_rule, name="save-rule"),
    path("policies/switch/", kill_switch, name="kill-switch"),
    path("policies/<str:name>/", policy_rule, name="policy-rule"),
    path("policies/<str:name>/activate/", activate_rule, name="activate-rule"),
    path("policies/<str:name>/stop/", stop_rule, name="stop-rule"),
    path("agents/", agents, name="agents"),
    path("agents/<path:group>/", agent, name="agent"),
    path("records/<str:topic>/<int:partition>/<int:offset>/", record, name="record"),
    path("dead-letters/", letters, name="dead-letters"),
    path("redrives/<str:redrive_id>/", redrive, name="redrive"),
    path("audit/", audit, name="audit"),
    path("audit/audit.<str:ending>", audit_export, name="audit-export"),
    path("alerts/", alerts, name="alerts"),
    path("flow/", flow, name="flow"),
    path("topics/", topics, name="topics"),
    path("schemas/", schemas, name="schemas"),
    path("readiness/", readiness, name="readiness"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-in/oidc/", oidc_begin, name="oidc"),
    path("sign-in/oidc/return/", oidc_return, name="oidc-return"),
    path("sign-in/<str:token>", sign_in_link, name="sign-in-link"),
    path("sign-in/<str:token>/", sign_in_link),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
]
