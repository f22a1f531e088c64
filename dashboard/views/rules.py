"""Policy rules: what decides by itself, tried on history before it is switched on, and the switch that stops all."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.lag import words
from dashboard.approvals import rules
from dashboard.clock import database_now
from dashboard.models import ApprovalRule, Decision
from dashboard.permissions import may_manage_rules, may_see_approvals, needs
from dashboard.ruleform import HINT, RuleForm, shown
from dashboard.sweep.freshness import ingest_fresh
from dashboard.views.page import one, page


@require_safe
@needs(may_see_approvals)
def policy_rules(request: HttpRequest) -> HttpResponse:
    """All rules, the active ones first; the kill switch; a form for a new one."""
    return _all_rules(request, None)


def _all_rules(request: HttpRequest, form: RuleForm | None) -> HttpResponse:
    now = database_now()
    latest: dict[str, dict[str, Any]] = {}
    for rule in ApprovalRule.objects.order_by("-version"):
        row = latest.setdefault(rule.name, _row(rule, now))
        if rule.state == ApprovalRule.State.ACTIVE:
            latest[rule.name] = _row(rule, now) | {"drafted": row["version"] if row["version"] > rule.version else None}
    return page(
        request,
        "rules.html",
        "approvals",
        status=422 if form else 200,
        now=now,
        rules=sorted(latest.values(), key=lambda row: (row["state"] != "active", row["name"])),
        switch=rules.switch(),
        fresh=ingest_fresh(now),
        form=form or RuleForm(initial={"max_risk": "low"}),
        hint=HINT,
        may_manage=may_manage_rules(request.user),
    )


@require_safe
@needs(may_see_approvals)
def policy_rule(request: HttpRequest, name: str) -> HttpResponse:
    """One rule: its versions, what the last one would have done, where people saw it differently."""
    now = database_now()
    versions = list(ApprovalRule.objects.filter(name=name).order_by("-version"))
    last = one(ApprovalRule.objects.filter(name=name).order_by("-version"), f"There is no rule {name}.")
    terms = rules.terms_of(last)
    return page(
        request,
        "rule.html",
        "approvals",
        now=now,
        rule=_row(last, now),
        versions=[_row(version, now) for version in versions],
        tried=rules.try_out(terms),
        disagreed=rules.disagreed(terms),
        form=RuleForm(initial=shown(terms) | {"name": name}),
        hint=HINT,
        may_manage=may_manage_rules(request.user),
    )


def _row(rule: ApprovalRule, now: int) -> dict[str, Any]:
    active = rule.state == ApprovalRule.State.ACTIVE
    over = rule.expires_at <= now
    state = "expired" if active and over else str(rule.state)
    decided = Decision.objects.filter(kind="decision", provenance__policy_rule=rule.name)
    return {
        "name": rule.name,
        "version": rule.version,
        "state": state,
        "terms": rules.terms_of(rule),
        "expires_at": rule.expires_at,
        "left": words(rule.expires_at - now) if active and not over else "",
        "by": rule.activated_by or rule.created_by,
        "created_at": rule.created_at,
        "dry_run": rule.dry_run.get("text", ""),
        "decided": decided.filter(provenance__policy_rule_version=rule.version).count(),
        "sign": SIGNS[state],
    }


SIGNS = {
    "draft": {"sign": "waiting", "label": "draft"},
    "active": {"sign": "running", "label": "active"},
    "expired": {"sign": "canceled", "label": "expired"},
    "replaced": {"sign": "canceled", "label": "replaced"},
    "stopped": {"sign": "failed", "label": "stopped"},
}


@needs(may_manage_rules)
@require_http_methods(["GET", "HEAD", "POST"])
def save_rule(request: HttpRequest) -> HttpResponse:
    """A new version, as a draft."""
    if request.method != "POST":
        return _all_rules(request, None)
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _all_rules(request, form)
    try:
        made = rules.draft(form.cleaned_data["name"].strip(), form.terms(), form.expires_at(), request.user)
    except rules.RuleRefused as refused:
        form.add_error(None, str(refused))
        return _all_rules(request, form)
    messages.success(request, f"Version {made.version} is a draft. It {made.dry_run['text']}.")
    return redirect("policy-rule", name=made.name)


@needs(may_manage_rules)
@require_POST
def activate_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Switch a draft on."""
    version = request.POST.get("version", "")
    try:
        rules.activate(name, int(version) if version.isdecimal() and len(version) < 9 else 0, request.user)
        messages.success(request, "It decides from now on.")
    except rules.RuleRefused as refused:
        messages.error(request, str(refused))
    return redirect("policy-rule", name=name)


@needs(may_manage_rules)
@require_POST
def stop_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Stop what is active, at once."""
    rules.stop(name, request.user)
    messages.success(request, "Stopped. It decides nothing any more.")
    return redirect("policy-rule", name=name)


@needs(may_manage_rules)
@require_http_methods(["GET", "HEAD", "POST"])
def kill_switch(request: HttpRequest) -> HttpResponse:
    """Stop all automatic decisions at once, or let them go on."""
    if request.method != "POST":
        return _all_rules(request, None)
    thrown = request.POST.get("thrown") == "yes"
    rules.throw(thrown, request.user, request.POST.get("reason", "")[:500])
    messages.success(request, "All automatic decisions are stopped." if thrown else "Automatic decisions go on.")
    return redirect("policy-rules")
