"""A person who is signed in by the form, as a plain HTTP client and as a page in Chromium."""

import re

import httpx
from playwright.sync_api import Browser, Page

from tests.installation import PASSWORD, USER

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def signed_in_client(address: str) -> httpx.Client:
    """A client with a session; close it."""
    client = httpx.Client(base_url=address, timeout=30)
    found = TOKEN.search(client.get("/sign-in/").text)
    assert found is not None
    form = {"csrfmiddlewaretoken": found[1], "username": USER, "password": PASSWORD}
    answer = client.post("/sign-in/", data=form, headers={"Referer": address})
    assert answer.status_code == httpx.codes.FOUND, answer.text[:500]
    return client


def signed_in_page(browser: Browser, address: str, **options: object) -> Page:
    """A page in a browser context of its own; `options` are Playwright's for a new context."""
    page = browser.new_context(base_url=address, **options).new_page()  # type: ignore[arg-type]
    page.goto("/sign-in/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/")
    return page
