"""Tool and model calls: one entry a call, however many events it has."""

from dashboard.api.toolcalls import calls
from tests.dashboard.recordings import Recording, tried_twice


def test_a_call_is_one_entry_from_its_first_event_to_its_last() -> None:
    log = tried_twice()
    events = [log.say("task.progressed", task_id="task-1")]
    events += [
        log.say("tool.call.started", {"tool_call_id": "c2", "tool_name": "search"}, subject="toolcall/c2"),
        log.say("tool.call.completed", {"tool_call_id": "c2", "tokens_in": 10, "tokens_out": 5}, subject="toolcall/c2"),
    ]
    found = calls(events)
    assert len(found) == 1
    assert (found[0]["name"], found[0]["sign"]["sign"], found[0]["tokens"], found[0]["took"]) == (
        "search",
        "done",
        15,
        "1.0 s",
    )


def test_a_call_without_an_end_runs() -> None:
    log = Recording()
    found = calls([log.say("tool.call.started", {"tool_call_id": "c", "tool_name": "fetch"}, subject="toolcall/c")])
    assert (found[0]["sign"]["sign"], found[0]["took"]) == ("running", "")


def test_a_failed_call_gives_its_error() -> None:
    log = Recording()
    data = {"tool_call_id": "c", "tool_name": "fetch", "error": {"type": "HTTPError", "message": "410"}}
    found = calls([log.say("tool.call.failed", data, subject="toolcall/c")])
    assert (found[0]["sign"]["sign"], found[0]["error"]) == ("failed", "HTTPError: 410")


def test_a_model_call_is_named_by_its_model() -> None:
    log = Recording()
    found = calls([log.say("model.call.completed", {"model": "m-1", "duration_ms": 2500})])
    assert (found[0]["sort"], found[0]["name"], found[0]["took"]) == ("model", "m-1", "2.5 s")
