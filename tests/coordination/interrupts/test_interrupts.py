"""Questions in the forms of other systems become one model, and decisions what those systems wait for."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from coordination.approvals import content_hash
from coordination.events.approval import ApprovalRequested
from coordination.interrupts import Answer, Ask, NotAnInterrupt, a2a, agui, langgraph, mcp

ARGS = {"amount": "18.50", "to": "supplier 7"}
HUMAN = {
    "action_request": {"action": "pay", "args": ARGS},
    "config": {"allow_ignore": True, "allow_respond": False, "allow_edit": True, "allow_accept": True},
    "description": "Pay the supplier\nfor order 7",
}
REVIEW = {
    "action_requests": [{"name": "pay", "args": ARGS, "description": "Pay"}, {"name": "mail", "args": {"to": "x"}}],
    "review_configs": [{"action_name": "pay", "allowed_decisions": ["approve", "edit", "reject"]}],
}
TOOL_CALL = {
    "id": "i-1",
    "reason": "tool_call",
    "toolCallId": "c-1",
    "message": "Pay?",
    "expiresAt": "2026-05-01T12:00:00Z",
}
CALLS = {"c-1": {"name": "pay", "args": ARGS}}
TASK = {
    "id": "t-1",
    "contextId": "x-1",
    "status": {
        "state": "input-required",
        "message": {
            "role": "agent",
            "messageId": "m-1",
            "parts": [
                {"kind": "text", "text": "Pay the supplier?"},
                {"kind": "data", "data": {"action": "pay", "args": ARGS}},
            ],
        },
    },
}
ELICIT = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "elicitation/create",
    "params": {
        "message": "Which account?",
        "requestedSchema": {"type": "object", "properties": {"iban": {"type": "string"}}, "required": ["iban"]},
    },
}
FORMS: dict[str, Callable[[], Ask]] = {
    "langgraph": lambda: langgraph.asks([HUMAN], "lg-1")[0],
    "review": lambda: langgraph.asks(REVIEW, "lg-1")[0],
    "ag-ui": lambda: agui.ask(TOOL_CALL, CALLS),
    "a2a": lambda: a2a.ask(TASK),
    "mcp": lambda: mcp.ask(ELICIT, "bank"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_a_request_that_the_catalogue_knows(form: str) -> None:
    data = FORMS[form]().requested("ask-1", fence=2, agent_group="payer")
    event = msgspec.convert(data, ApprovalRequested)
    assert event.content_hash == content_hash(data["action"])
    assert (event.agent_group, event.fence, event.risk, event.reversibility) == ("payer", 2, "medium", "no")


@pytest.mark.parametrize("form", ["langgraph", "review", "ag-ui", "a2a"])
def test_what_would_run_is_the_action_with_its_arguments(form: str) -> None:
    ask = FORMS[form]()
    assert (ask.kind, ask.action, ask.args) == ("action", "pay", ARGS)
    assert set(ask.allowed) == {"approve", "edit", "reject"}


def test_ids_and_ends_are_kept() -> None:
    assert [ask.external_id for ask in langgraph.asks(REVIEW, "lg-1")] == ["lg-1#0", "lg-1#1"]
    assert FORMS["ag-ui"]().expires_at == "2026-05-01T12:00:00Z"
    assert (FORMS["a2a"]().external_id, FORMS["mcp"]().external_id) == ("t-1", "7")


def test_a_graph_is_resumed_with_a_list_of_one_response() -> None:
    ask = FORMS["langgraph"]()
    edited = {"amount": "17.00"}
    assert langgraph.resume(ask, Answer(decision="approve")) == [{"type": "accept", "args": None}]
    assert langgraph.resume(ask, Answer(decision="reject")) == [{"type": "ignore", "args": None}]
    assert langgraph.resume(ask, Answer(decision="edit", args=edited)) == [
        {"type": "edit", "args": {"action": "pay", "args": edited}}
    ]


def test_what_can_only_be_answered_is_a_question() -> None:
    value = HUMAN | {"config": {"allow_respond": True, "allow_ignore": True}}
    ask = langgraph.asks(value)[0]
    assert (ask.kind, ask.allowed) == ("question", ("reject", "respond"))
    assert langgraph.resume(ask, Answer(decision="respond", response="yes")) == [{"type": "response", "args": "yes"}]


def test_the_middleware_gets_one_decision_an_action_in_order() -> None:
    asks = langgraph.asks(REVIEW)
    answers = [Answer(decision="edit", args={"amount": "1"}), Answer(decision="reject", feedback="no mail")]
    assert langgraph.decisions(list(zip(asks, answers, strict=True))) == {
        "decisions": [
            {"type": "edit", "edited_action": {"name": "pay", "args": {"amount": "1"}}},
            {"type": "reject", "message": "no mail"},
        ]
    }


def test_an_interrupt_is_resolved_also_by_a_denial() -> None:
    ask = FORMS["ag-ui"]()
    assert agui.resume(ask, Answer(decision="approve")) == {
        "interruptId": "i-1",
        "status": "resolved",
        "payload": {"approved": True},
    }
    denied = agui.resume(ask, Answer(decision="reject", feedback="too much"))
    assert (denied["status"], denied["payload"]) == ("resolved", {"approved": False, "reason": "too much"})
    edited = agui.resume(ask, Answer(decision="edit", args={"amount": "1"}))
    assert edited["payload"] == {"approved": True, "editedArgs": {"amount": "1"}}


def test_input_that_is_asked_for_is_a_question_that_can_be_cancelled() -> None:
    ask = agui.ask({"id": "i-2", "reason": "input_required", "message": "Which one?"})
    assert ask.kind == "question"
    assert agui.resume(ask, Answer(decision="respond", response={"x": 1}))["payload"] == {"x": 1}
    assert agui.resume(ask, Answer(decision="reject")) == {"interruptId": "i-2", "status": "cancelled"}


def test_a_task_is_answered_by_a_message_in_it() -> None:
    reply = a2a.reply(FORMS["a2a"](), Answer(decision="edit", args={"amount": "1"}), message_id="d-1", context_id="x-1")
    assert (reply["role"], reply["taskId"], reply["contextId"], reply["messageId"]) == ("user", "t-1", "x-1", "d-1")
    assert reply["parts"] == [{"kind": "data", "data": {"decision": "edit", "args": {"amount": "1"}}}]


def test_a_task_that_only_asks_in_words_is_a_question() -> None:
    task = {
        "id": "t",
        "status": {"state": "input-required", "message": {"parts": [{"kind": "text", "text": "Which?"}]}},
    }
    ask = a2a.ask(task)
    assert (ask.kind, ask.question, ask.allowed) == ("question", "Which?", ("respond", "reject"))
    assert a2a.reply(ask, Answer(decision="respond", response="b"), message_id="d")["parts"] == [
        {"kind": "text", "text": "b"}
    ]


def test_an_elicitation_is_accepted_declined_or_cancelled() -> None:
    ask = FORMS["mcp"]()
    accepted = mcp.result(ask, Answer(decision="respond", response={"iban": "DE1"}))
    assert accepted == {"action": "accept", "content": {"iban": "DE1"}}
    assert mcp.result(ask, Answer(decision="reject")) == {"action": "decline"}
    assert mcp.cancelled() == {"action": "cancel"}
    with pytest.raises(NotAnInterrupt, match="'iban' is a required property"):
        mcp.result(ask, Answer(decision="respond", response={}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: langgraph.asks([]),
        lambda: langgraph.asks("?"),
        lambda: langgraph.asks(HUMAN | {"config": {}}),
        lambda: langgraph.asks({"action_requests": []}),
        lambda: agui.ask({"id": "", "reason": "confirmation"}),
        lambda: agui.ask(TOOL_CALL, {}),
        lambda: agui.ask(TOOL_CALL | {"expiresAt": "soon"}, CALLS),
        lambda: a2a.ask(TASK | {"status": {"state": "working"}}),
        lambda: a2a.ask({"id": "t", "status": {"state": "input-required"}}),
        lambda: mcp.ask(ELICIT | {"method": "tools/call"}),
        lambda: mcp.ask(ELICIT | {"params": {"mode": "url", "message": "x"}}),
    ],
)
def test_what_is_not_in_form_is_refused_by_name(ask: Callable[[], Any]) -> None:
    with pytest.raises(NotAnInterrupt):
        ask()


@pytest.mark.parametrize(
    "act",
    [
        lambda: langgraph.resume(FORMS["langgraph"](), Answer(decision="respond", response="x")),
        lambda: agui.resume(FORMS["ag-ui"](), Answer(decision="respond", response="x")),
        lambda: mcp.result(FORMS["mcp"](), Answer(decision="approve")),
        lambda: langgraph.decisions([(langgraph.asks(REVIEW)[1], Answer(decision="edit", args={}))]),
    ],
)
def test_what_a_runtime_cannot_take_is_never_sent_to_it(act: Callable[[], Any]) -> None:
    with pytest.raises(NotAnInterrupt, match="was not offered"):
        act()
