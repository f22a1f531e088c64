"""The run page: where does this run stand, and what holds it up?"""

from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from django.http import HttpRequest, HttpResponse

from coordination.errors import CoordinationError
from coordination.lag import words
from coordination.query import quoted
from coordination.runs import RunPart as RunPartRow
from dashboard.api.carried import carried_by_run
from dashboard.api.paging import EMPTY, PAGE
from dashboard.api.runlist import judged, usual
from dashboard.api.suspectlist import foreign, suspect_page
from dashboard.api.tasklist import RANKED, filtered, task_page
from dashboard.clock import database_now
from dashboard.events import ends_of_run
from dashboard.models import FanOut, Run, RunPart
from dashboard.past import as_of
from dashboard.permissions import may_replay, may_see_payloads, may_see_runs, may_steer, needs
from dashboard.policies import rules
from dashboard.views.page import asked, one, page

PART: Final = msgspec.json.Decoder(RunPartRow)
MILLION: Final = 1_000_000
NOTHING: Final[dict[str, Any]] = {"input": None, "output": None}


@needs(may_see_runs)
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """One run: graph, joins, folds and tasks, live."""
    found = one(Run.objects.filter(run_id=run_id), f"No run {run_id} has been read, or it has been pruned.")
    usually, before, at = _usual(found), _before(found), request.GET.get("at")
    try:
        shown = _shown(request, run_id, at)
    except CoordinationError as error:
        shown = _shown(request, run_id, None) | {"astray": str(error)}
    return page(
        request,
        "run.html",
        "runs",
        **shown,
        usual=usually,
        before=before,
        has_joins=FanOut.objects.filter(run_id=run_id).exists(),
        files=_files(request, run_id, may_replay(request.user)),
        may_steer=may_steer(request.user),
    )


def _shown(request: HttpRequest, run_id: str, at: str | None) -> dict[str, Any]:
    """What the page shows of the run, as of a position. Raises BadPosition, TooLong."""
    query, fold = request.GET.get("query", ""), request.GET.get("fold")
    with as_of(run_id, at) as moment:
        found = one(Run.objects.filter(run_id=run_id), f"No run {run_id} had been read by then.")
        tasks, wrong = asked(query, lambda: _tasks(run_id, query, fold, moment.now), EMPTY)
        row = judged([found])[0]
        return {
            "now": moment.now if moment.place is None else database_now(),
            "at": moment.place.text if moment.place else "",
            "run": found,
            "row": row,
            "query": query,
            "fold": fold,
            "wrong": wrong,
            "tasks": tasks,
            "story": _story(found, may_see_payloads(request.user)),
            "states": states(row["bar"]),
            "blocked_line": f"blocked-by:{quoted(row['first_cause']['task_id'])}" if row["first_cause"] else "",
            "suspects": _suspects(found, row),
        }


def _tasks(run_id: str, query: str, fold: str | None, now: int) -> dict[str, Any]:
    return task_page(filtered(run_id, query, fold, now=now), None, PAGE, now)


def states(segments: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """The counts over the graph; each leads to the tasks behind it."""
    return [
        {"name": name, "count": count, "query": f"state:{name}" if name in RANKED else ""} for name, count in segments
    ]


def _files(request: HttpRequest, run_id: str, may_export: bool) -> dict[str, str]:
    """Addresses of the run's tables and events as files, narrowed as the page is, each ready for `format=…`."""
    path = f"/api/v1/runs/{quote(run_id, safe='')}"
    narrowed = {name: request.GET[name] for name in ("query", "fold", "at") if name in request.GET}
    moment = {name: narrowed[name] for name in narrowed if name == "at"}
    return {
        "tasks": f"{path}/tasks?{urlencode(narrowed)}&",
        "joins": f"{path}/joins?{urlencode(moment)}&",
        "events": f"{path}/events?",
        "xes": f"{path}/xes" if may_export else "",
    }


def _before(found: Run) -> str:
    """The run of the same workflow that came before, empty where there is none."""
    if not found.workflow or found.first_at is None:
        return ""
    earlier = Run.objects.filter(workflow=found.workflow, first_at__lt=found.first_at).order_by("-first_at")
    return earlier.values_list("run_id", flat=True).first() or ""


def _suspects(found: Run, row: dict[str, Any]) -> dict[str, Any] | None:
    """Candidate steps of a failed run that something else recorded."""
    failed = row["sign"]["sign"] == "failed"
    return suspect_page(found) if failed and foreign(found, _parts(found.run_id)) else None


def _parts(run_id: str) -> list[RunPart]:
    return list(RunPart.objects.filter(run_id=run_id))


def _carried(run_id: str, given: Any, result: Any) -> dict[str, Any]:
    """Input and output as masking leaves them; the run's own facts stand at its ends."""
    if given is None and result is None:
        return NOTHING
    return carried_by_run({"input": given, "output": result}, ends_of_run(run_id) if rules().classes else ())


def _usual(found: Run) -> str:
    spans = usual(found)
    return "" if spans is None else f"usual {words(spans[0])} to {words(spans[1])}"


def _story(found: Run, payloads: bool) -> dict[str, Any]:
    """What the run says of itself: error, input, output, sums. Input and output need the right to payloads."""
    parts = [PART.decode(part.body) for part in _parts(found.run_id)]
    facts = next((part for part in parts if part.state), None)
    carries = _carried(found.run_id, facts.input, facts.output) if facts and payloads else NOTHING
    return {
        "error": facts.error if facts else None,
        "input": carries["input"],
        "output": carries["output"],
        "tool_calls": sum(part.tool_calls for part in parts),
        "model_calls": sum(part.model_calls for part in parts),
        "tokens": found.tokens,
        "cost": f"{found.cost / MILLION:,.2f}" if found.cost else "",
        "events": found.events,
        "unknown_events": sum(part.unknown_events for part in parts),
        "anomalies": [each for part in parts for each in part.anomalies][:20],
        "anomaly_count": sum(part.anomaly_count for part in parts),
        "inferred": found.inferred,
        "derived_times": found.derived_times,
    }
