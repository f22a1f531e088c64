"""A walk through all pages in Chromium that notices whatever should not happen there.

Nothing that an agent wrote may run: no dialog, no error on the console, no violation of the content policy, no
script that leaves its mark, no element that the text of a record has become. No page answers with an error.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from playwright.sync_api import Page, Response

from tests.hostile import PLANTED, RAN
from tests.services.chromium import Faults

START: Final = ("/", "/runs/", "/approvals/", "/agents/", "/dead-letters/", "/audit/", "/topics/")
# What kind of page an address is: of each only some are visited.
KINDS: Final = (
    ("task", r"/runs/.+/tasks/.+/"),
    ("run", r"/runs/.+/"),
    ("review", r"/approvals/.+/"),
    ("agent", r"/agents/.+/"),
    ("record", r"/records/.+"),
)
ELSEWHERE: Final = re.compile(r"/(admin|sign-out|sign-in|static|api|metrics)(/|$)")
FILE: Final = re.compile(r"\.(csv|ndjson|json|xes|svg|png)$")
# With what a page says in words that two runs cannot be compared.
WORDS: Final = 422
MARK: Final = re.findall(r"window\.(\w+)", RAN)[0]
# Before any script of the page: whatever the policy refused, and whatever a handler would leave behind.
HOOK: Final = """
window.refused = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  window.refused.push(`${violatedDirective} ${blockedURI}`);
});
"""


class Walk:
    """Walks in one page of a browser; `faults` is all that was noticed, `visited` counts pages by kind."""

    def __init__(self, page: Page, *, each: int) -> None:
        self.page = page
        self.faults: list[str] = []
        self.visited: Counter[str] = Counter()
        self._each = each
        self._seen: set[str] = set()
        self._watched = Faults(page)
        page.add_init_script(HOOK)
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("response", self._response)

    def everywhere(self, also: Iterable[str] = ()) -> None:
        """From the pages of the rail, and these, along their links, some of each kind."""
        ahead = deque((*START, *also))
        while ahead:
            path = ahead.popleft()
            kind = _kind(path)
            if path in self._seen or self.visited[kind] >= self._each:
                continue
            self._seen.add(path)
            self.visited[kind] += 1
            ahead.extend(self.visit(path))

    def visit(self, path: str) -> list[str]:
        """Open a page, touch what can be opened in it, look; returns the addresses it links to."""
        if FILE.search(urlsplit(path).path):
            return self._download(path)
        answer = self.page.goto(path, wait_until="load")
        self.page.wait_for_timeout(150)  # its scripts ask for more once it is loaded
        if answer is not None and answer.status == WORDS and path.startswith("/runs/compare/"):
            return []
        if answer is None or answer.status != 200:
            self.faults.append(f"{path}: status {answer.status if answer else 'none'}")
            return []
        self._open_some()
        self.look(path)
        hrefs: list[str] = self.page.eval_on_selector_all("a[href]", "(all) => all.map((one) => one.href)")
        own = [href for href in hrefs if urlsplit(href).netloc == urlsplit(self.page.url).netloc]
        return [path for path in dict.fromkeys(map(_local, own)) if not ELSEWHERE.match(path)]

    def _download(self, path: str) -> list[str]:
        answer = self.page.request.get(path)
        if answer.status != 200 or not answer.body():
            self.faults.append(f"{path}: status {answer.status}, {len(answer.body())} bytes")
        return []

    def look(self, where: str) -> None:
        """Note what is not as it should be in the page that is open."""
        found: list[Any] = self.page.evaluate(
            "([mark, planted]) => [window[mark], document.querySelectorAll(planted).length, window.refused]",
            [MARK, PLANTED],
        )
        ran, planted, refused = found
        if ran is not None:
            self.faults.append(f"{where}: a script ran {ran} times")
        if planted:
            self.faults.append(f"{where}: {planted} elements come out of records")
        self.faults += [f"{where}: refused {one}" for one in refused]
        self.faults += [f"{where}: {one}" for one in self._watched.seen if not _expected(one)]
        self._watched.seen.clear()

    def _open_some(self) -> None:
        for details in self.page.locator("main details:not([open]) > summary").all()[:5]:
            if details.is_visible():
                details.click()
        for node in self.page.locator("#graph .drawing .node").all()[:3]:
            node.dispatch_event("click")
        self.page.wait_for_timeout(100)

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} from {response.url}")


def _expected(fault: str) -> bool:
    """What a browser says of a page that was left early, or that said why two runs cannot be compared."""
    return "net::ERR_ABORTED" in fault or (f"status of {WORDS}" in fault and "/runs/compare/" in fault)


def _kind(path: str) -> str:
    bare = path.split("?")[0]
    return next((kind for kind, pattern in KINDS if re.fullmatch(pattern, bare)), f"page {bare}")


def _local(href: str) -> str:
    parts = urlsplit(href)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def addresses(document: dict[str, Any], ids: dict[str, list[Any]]) -> list[str]:
    """The GET calls of an OpenAPI document with ids filled in; a query that must be given gets the ids of runs."""
    found = []
    for path, calls in document["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if "get" not in calls or not all(ids.get(name) for name in names):
            continue
        needed = [one["name"] for one in calls["get"].get("parameters", []) if one["in"] == "query" and one["required"]]
        for place in range(max((len(ids[name]) for name in names), default=1)):
            filled = path
            for name in names:
                filled = filled.replace(f"{{{name}}}", quote(str(ids[name][place % len(ids[name])]), safe=""))
            query = urlencode(
                {name: ids["run_id"][(place + turn) % len(ids["run_id"])] for turn, name in enumerate(needed)}
            )
            found.append(f"{filled}?{query}" if query else filled)
    return found
