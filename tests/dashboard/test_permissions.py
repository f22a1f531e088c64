"""Rights: one function per capability; nobody has one without being given it, roles give what they say."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied

from dashboard import permissions
from dashboard.permissions import ROLES, ensure_roles, may_decide, may_see_runs, may_watch, require
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db
CAPABILITIES = {
    name: found
    for name, found in vars(permissions).items()
    if name.startswith("may_") and name != "may_watch" and callable(found)
}


@pytest.mark.parametrize("name", CAPABILITIES)
def test_nobody_may_anything_without_being_given_it(name: str) -> None:
    capability: Callable[[Any], bool] = CAPABILITIES[name]
    assert not capability(AnonymousUser())
    # How the dashboard itself is, is for whoever is signed in.
    assert capability(member("eve")) == (name == "may_see_health")
    assert capability(User.objects.create_superuser("root"))


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_person_who_was_switched_off_may_nothing(name: str) -> None:
    root = User.objects.create_superuser("root")
    root.is_active = False
    root.save()
    assert not CAPABILITIES[name](User.objects.get(pk=root.pk))


def test_deciding_is_another_right_than_looking() -> None:
    assert not may_decide(member("eve", "view_approval"))
    assert may_decide(member("ana", "decide_approval"))


@pytest.mark.parametrize(
    ("about", "right"),
    [("board", "view_run"), ("run:r-1", "view_run"), ("approvals", "view_approval"), ("agents", "view_groupsnapshot")],
)
def test_a_watch_needs_the_right_of_its_page(about: str, right: str) -> None:
    assert may_watch(member("ana", right), about)
    assert not may_watch(member("eve"), about)


def test_health_is_for_whoever_is_signed_in_and_unknown_watches_for_nobody() -> None:
    assert may_watch(member("eve"), "health")
    assert not may_watch(AnonymousUser(), "health")
    assert not may_watch(User.objects.create_superuser("root"), "secrets")


def test_a_missing_right_is_told_in_words() -> None:
    with pytest.raises(PermissionDenied, match="Board, runs, tasks"):
        require(member("eve"), may_see_runs)
    require(member("ana", "view_run"), may_see_runs)


def test_roles_are_groups_with_their_rights() -> None:
    ensure_roles()
    reviewer = member("ana")
    reviewer.groups.add(Group.objects.get(name="reviewer"))
    assert may_decide(User.objects.get(pk=reviewer.pk))
    for role, names in ROLES.items():
        held = Group.objects.get(name=role).permissions.values_list("codename", flat=True)
        assert set(held) == set(names), role


def test_a_group_that_people_changed_is_left_as_it_is() -> None:
    ensure_roles()
    Group.objects.get(name="viewer").permissions.clear()
    ensure_roles()
    assert Group.objects.get(name="viewer").permissions.count() == 0
