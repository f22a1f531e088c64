"""The form of a policy rule: patterns, a limit of risk, and one condition a line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from django import forms

from coordination.approvals import RISKS
from coordination.policyrules import MOST_RISK, NUMBERS, UNDOABLE, WORDS, Condition, Terms

LINE: Final = re.compile(r"^(?P<path>\S+)\s+(?P<how><=|>=|!=|<|>|=|like)\s+(?P<value>\S.*)$")
MOST: Final = 20
ALLOWED_RISKS: Final = RISKS[: RISKS.index(MOST_RISK) + 1]
HINT: Final = f"one a line, such as: total.amount <= 50.00; compared by {' '.join((*NUMBERS, *WORDS))}"


class RuleForm(forms.Form):
    """What a rule matches, what it decides, and when it ends."""

    name = forms.CharField(max_length=100)
    decision = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])
    action = forms.CharField(max_length=200)
    target = forms.CharField(max_length=200, required=False)
    agent_group = forms.CharField(max_length=200, required=False)
    max_risk = forms.ChoiceField(choices=[(risk, risk) for risk in ALLOWED_RISKS])
    compensable = forms.BooleanField(required=False)
    conditions = forms.CharField(required=False, max_length=4_000, widget=forms.Textarea)
    expires = forms.DateField()

    def clean_conditions(self) -> tuple[Condition, ...]:
        """Conditions out of their lines."""
        lines = [line.strip() for line in self.cleaned_data["conditions"].splitlines() if line.strip()]
        if len(lines) > MOST:
            raise forms.ValidationError(f"At most {MOST} conditions.")
        return tuple(_condition(line) for line in lines)

    def terms(self) -> Terms:
        """What the rule matches."""
        given = self.cleaned_data
        return Terms(
            action=given["action"].strip(),
            target=given["target"].strip() or "*",
            agent_group=given["agent_group"].strip() or "*",
            max_risk=given["max_risk"],
            reversibility=UNDOABLE if given["compensable"] else ("yes",),
            conditions=given["conditions"],
            decision=given["decision"],
        )

    def expires_at(self) -> int:
        """The end of the day that was given, in µs."""
        day = self.cleaned_data["expires"]
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        return int(end.timestamp()) * 1_000_000


def shown(terms: Terms) -> dict[str, Any]:
    """The form's fields for terms that are there, to write the next version from."""
    lines = [f"{one.path} {one.how} {one.value}" for one in terms.conditions]
    return msgspec.structs.asdict(terms) | {
        "compensable": "compensable" in terms.reversibility,
        "conditions": "\n".join(lines),
    }


def _condition(line: str) -> Condition:
    found = LINE.match(line)
    if found is None:
        raise forms.ValidationError(f"{line!r} is no condition; write {HINT}.")
    return msgspec.convert(found.groupdict(), Condition)
