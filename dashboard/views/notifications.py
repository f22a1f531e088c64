"""How one is told that something waits: e-mail with digest and quiet hours, this browser, webhooks, dead notices."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.clock import database_now
from dashboard.models import Notice, NotificationChoice, Webhook
from dashboard.notify.schedule import due_at, known_zone
from dashboard.notify.sending import try_again
from dashboard.permissions import may_manage_rules, may_see_approvals, needs
from dashboard.views.page import page

NOBODY = "dummy"


class ChoiceForm(forms.Form):
    """How a person wants to be told."""

    email = forms.BooleanField(required=False)
    digest = forms.ChoiceField(choices=NotificationChoice.Digest.choices)
    quiet_from = forms.TimeField(required=False)
    quiet_to = forms.TimeField(required=False)
    zone = forms.CharField(max_length=60)

    def clean_zone(self) -> str:
        """A zone that is known."""
        name: str = self.cleaned_data["zone"]
        if not known_zone(name):
            raise forms.ValidationError(f"{name} is no time zone; write one such as Europe/Berlin or UTC.")
        return name

    def minutes(self, name: str) -> int:
        """A time of the day in minutes."""
        given = self.cleaned_data[name]
        return given.hour * 60 + given.minute if given else 0


@require_http_methods(["GET", "HEAD", "POST"])
@needs(may_see_approvals)
def notifications(request: HttpRequest) -> HttpResponse:
    """One's own choices; a POST changes them."""
    assert isinstance(request.user, User)
    choice = NotificationChoice.objects.filter(person=request.user).first() or NotificationChoice(person=request.user)
    form = ChoiceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        choice.email, choice.digest = form.cleaned_data["email"], form.cleaned_data["digest"]
        choice.quiet_from, choice.quiet_to = form.minutes("quiet_from"), form.minutes("quiet_to")
        choice.zone = form.cleaned_data["zone"]
        choice.save()
        messages.success(request, "Kept.")
        return redirect("notifications")
    now = database_now()
    return page(
        request,
        "notifications.html",
        "approvals",
        status=422 if form.errors else 200,
        now=now,
        choice=choice,
        form=form,
        digests=NotificationChoice.Digest.values,
        quiet_from=_clock(choice.quiet_from),
        quiet_to=_clock(choice.quiet_to),
        next_at=due_at(now, choice.digest, choice.quiet_from, choice.quiet_to, choice.zone),
        mail_goes=NOBODY not in settings.EMAIL_BACKEND,
        webhooks=Webhook.objects.filter(requests=True).order_by("name"),
        dead=Notice.objects.filter(state=Notice.State.DEAD).select_related("person", "webhook").order_by("-pk")[:50],
        may_manage=may_manage_rules(request.user),
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@needs(may_manage_rules)
@require_POST
def send_again(request: HttpRequest, number: str) -> HttpResponse:
    """Try a dead notice again from the beginning."""
    if number.isdecimal() and len(number) < 19 and try_again(int(number)):
        messages.success(request, "It is tried again.")
    return redirect("notifications")
