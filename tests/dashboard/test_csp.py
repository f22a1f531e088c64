"""Every answer says what a page may load; a view may say more, nobody may forget it."""

import pytest
from django.http import HttpResponse

from dashboard.csp import POLICY, content_security_policy


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/", "/api/v1/health", "/nowhere"])
def test_every_answer_carries_the_policy(client, path):
    assert client.get(path).headers["Content-Security-Policy"] == POLICY


def test_scripts_and_styles_come_from_here_only_and_never_from_the_page():
    parts = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert parts["script-src"] == parts["style-src"] == "'self'"
    assert "unsafe" not in POLICY
    assert parts["frame-ancestors"] == parts["object-src"] == parts["base-uri"] == "'none'"


def test_a_policy_that_a_view_set_is_kept(rf):
    given = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    answered = content_security_policy(lambda request: given)(rf.get("/"))
    assert answered.headers["Content-Security-Policy"] == "default-src 'none'"


async def test_it_works_in_an_asynchronous_chain_too(rf):
    async def view(request):
        return HttpResponse()

    answered = await content_security_policy(view)(rf.get("/"))
    assert answered.headers["Content-Security-Policy"] == POLICY
