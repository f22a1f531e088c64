"""Forms: sign-in, decisions. Each says what is wrong in a sentence that can be acted on."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from coordination.readiness import DIMENSIONS
from dashboard import signinlimit
from dashboard.api.argtext import NotArguments, read


class SignInForm(AuthenticationForm):
    """User name and password."""

    error_messages = {  # noqa: RUF012  (Django's own form declares it so)
        "invalid_login": "User name and password do not fit together.",
        "inactive": "This account is switched off. Ask whoever runs Lineside.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"class": "input", "autofocus": True, "autocomplete": "username"}
        self.fields["password"].widget.attrs |= {"class": "input", "autocomplete": "current-password"}
        self.wait = 0

    def clean(self) -> dict[str, Any]:
        """Look at the password only while there were not too many tries."""
        name, request = str(self.data.get("username", "")), self.request
        if request is None or not self.cleaned_data.get("password"):
            return super().clean()
        self.wait = signinlimit.seconds_to_wait(request, name)
        if self.wait:
            raise forms.ValidationError(f"Too many tries. Wait {self.wait} s, then try again.", code="limited")
        cleaned = super().clean()
        signinlimit.forget(request, name)
        return cleaned


class DecisionForm(forms.Form):
    """One decision on one version of a request: what the page showed travels with it."""

    decision = forms.ChoiceField(choices=[(word, word) for word in ("approve", "reject", "edit", "respond")])
    request_version = forms.IntegerField(min_value=1)
    content_hash = forms.CharField(max_length=128)
    comment = forms.CharField(required=False, max_length=10_000)
    args = forms.CharField(required=False, max_length=1_000_000)
    confirm = forms.CharField(required=False, max_length=1_000)

    def clean_args(self) -> Any:
        """The edited arguments, decoded; None where nothing was edited."""
        text = self.cleaned_data["args"]
        if not text.strip():
            return None
        try:
            return read(text)
        except NotArguments as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Rejecting and responding need words; editing needs arguments."""
        cleaned = super().clean() or self.cleaned_data
        decision = cleaned.get("decision")
        if decision == "respond" and not cleaned.get("comment"):
            self.add_error("comment", "Write the answer that the agent gets.")
        if decision == "edit" and "args" in cleaned and cleaned["args"] is None:
            self.add_error("args", "Write the arguments that will run; an edit replaces all of them.")
        return cleaned


class AnswerForm(forms.Form):
    """One answer for the readiness page: a score of one to five, and why."""

    question = forms.ChoiceField(choices=[(each.key, each.name) for each in DIMENSIONS if each.asked])
    score = forms.IntegerField(min_value=1, max_value=5, error_messages={"required": "Choose one of the five."})
    reason = forms.CharField(
        max_length=2_000, error_messages={"required": "Write why: an answer without a reason proves nothing."}
    )
