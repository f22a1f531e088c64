"""New requests and versions get their row."""

import pytest
from django.contrib.auth.models import User

from dashboard.sweep.adoption import adopt_new
from tests.dashboard.cast import ask
from tests.dashboard.sweep.sweeping import approve, the_approval

pytestmark = pytest.mark.django_db


def test_a_new_request_gets_a_row_and_a_new_version_renews_it(ana: User) -> None:
    ask()
    assert (adopt_new(), adopt_new()) == (1, 0)
    approve(ana)
    ask(version=2, risk="critical")
    assert adopt_new() == 1
    assert (the_approval().version, the_approval().state, the_approval().risk) == (2, "pending", "critical")
