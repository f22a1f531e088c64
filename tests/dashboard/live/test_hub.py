"""The hub sends to all who watch, seldom and soon, stops for who does not listen, and survives who is gone."""

import asyncio
import json
import threading
from statistics import median

import pytest

from dashboard.live.hub import MIN_INTERVAL, Hub
from dashboard.live.viewer import WINDOW


class Socket:
    """A browser that keeps what it hears."""

    def __init__(self, hub: Hub, *, answers: bool = True) -> None:
        self.hub, self.answers, self.heard, self.dead = hub, answers, [], False
        self.times: list[float] = []

    async def deliver(self, text: str) -> None:
        if self.dead:
            raise ConnectionError("gone")
        self.heard.append(json.loads(text))
        self.times.append(asyncio.get_running_loop().time())
        if self.answers:
            await self.hub.acknowledge(self, self.heard[-1]["to"])

    @property
    def rows(self) -> list[str]:
        return [row["id"] for message in self.heard for row in message["rows"]]


def row(name: str, revision: int = 1) -> dict:
    return {"kind": "task", "id": name, "revision": revision}


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def settle(seconds: float = 0.02) -> None:
    await asyncio.sleep(seconds)


async def test_all_who_watch_hear_the_same_and_nobody_else(hub):
    one, two, other = Socket(hub), Socket(hub), Socket(hub)
    for socket, about in ((one, "board"), (two, "board"), (other, "agents")):
        hub.join(socket, [about])
    hub.offer("board", [row("a")])
    await settle()
    assert one.heard == two.heard
    assert one.rows == ["a"]
    assert other.heard == []


async def test_the_first_change_goes_at_once_and_the_next_wait_their_time(hub):
    socket = Socket(hub)
    hub.join(socket, ["board"])
    for number in range(60):
        hub.offer("board", [row(f"r{number % 3}", number)])
        await asyncio.sleep(0.01)
    await settle(MIN_INTERVAL * 1.5)
    gaps = [after - before for before, after in zip(socket.times, socket.times[1:], strict=False)]
    assert median(gaps) >= MIN_INTERVAL * 0.95  # one that was late by itself is followed by a shorter gap
    assert 3 <= len(socket.heard) < 20
    last = {each["id"]: each["revision"] for message in socket.heard for each in message["rows"]}
    assert last == {"r0": 57, "r1": 58, "r2": 59}


async def test_a_runs_page_hears_five_messages_a_second_at_most(hub):
    socket = Socket(hub)
    hub.join(socket, ["run:1", "health"])
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < began + 1.6:
        hub.offer("run:1", [row("a", len(socket.heard))])
        hub.offer("health", [row("health", len(socket.heard))])
        await asyncio.sleep(0.01)
    assert len(socket.heard) > 5
    assert all(sum(low <= at < low + 1 for at in socket.times) <= 5 for low in socket.times)


async def test_two_changes_of_a_run_that_was_quiet_are_told_soon_after_one_another(hub):
    socket = Socket(hub)
    hub.join(socket, ["run:1", "health"])
    for number in range(2):
        hub.offer("run:1", [row(f"r{number}", number)])
        await settle(0.01)
    await settle(MIN_INTERVAL * 1.8)
    assert socket.rows == ["r0", "r1"]


async def test_the_board_is_told_as_briskly_beside_the_stamp(hub):
    socket = Socket(hub)
    hub.join(socket, ["board", "health"])
    for number in range(40):
        hub.offer("board", [row("a", number)])
        await asyncio.sleep(0.01)
    gaps = [after - before for before, after in zip(socket.times, socket.times[1:], strict=False)]
    assert median(gaps) < MIN_INTERVAL * 1.9


async def test_the_chain_of_one_watch_has_no_hole_although_revisions_are_of_the_whole_hub(hub):
    socket = Socket(hub)
    held = hub.join(socket, ["a", "b"])
    for about in ("a", "b", "a"):
        hub.offer(about, [row(about)])
        await settle(MIN_INTERVAL * 2.2)
    for message in socket.heard:
        assert message["from"] == held[message["about"]]
        held[message["about"]] = message["to"]
    assert [message["to"] for message in socket.heard] == sorted({message["to"] for message in socket.heard})


async def test_who_does_not_answer_gets_a_window_of_messages_and_then_a_hole(hub):
    silent, good = Socket(hub, answers=False), Socket(hub)
    for socket in (silent, good):
        hub.join(socket, ["board"])
    for number in range(WINDOW + 5):
        hub.offer("board", [row("a", number)])
        await settle(MIN_INTERVAL + 0.01)
    assert len(silent.heard) == WINDOW
    assert len(good.heard) == WINDOW + 5

    await hub.acknowledge(silent, silent.heard[-2]["to"])
    await settle()
    assert len(silent.heard) == WINDOW, "one message is still not acknowledged"
    await hub.acknowledge(silent, silent.heard[-1]["to"])
    hole = silent.heard[-1]
    assert (hole["rows"], hole["from"]) == ([], good.heard[-1]["to"])
    hub.offer("board", [row("b")])
    await settle(MIN_INTERVAL + 0.05)
    assert silent.rows[-1] == "b"


async def test_a_dead_socket_is_dropped_and_the_others_go_on(hub):
    dead, good = Socket(hub), Socket(hub)
    for socket in (dead, good):
        hub.join(socket, ["board"])
    dead.dead = True
    hub.offer("board", [row("a")])
    await settle()
    assert good.rows == ["a"]
    assert list(hub.viewers) == [good]


async def test_nothing_is_kept_for_what_nobody_watches(hub):
    socket = Socket(hub)
    hub.join(socket, ["board"])
    hub.offer("run:1", [row("a")])
    assert not hub.wanted("run:1")
    hub.leave(socket)
    assert not hub.wanted("board")
    hub.offer("board", [row("a")])
    await settle()
    assert socket.heard == []
    hub.leave(socket)


async def test_joining_again_replaces_what_is_watched(hub):
    socket = Socket(hub)
    hub.join(socket, ["a", "b"])
    hub.join(socket, ["b", "c"])
    assert (hub.wanted("a"), hub.wanted("b"), hub.wanted("c")) == (False, True, True)


async def test_resync_tells_everybody_by_a_hole(hub):
    socket = Socket(hub)
    held = hub.join(socket, ["a", "b"])
    hub.resync()
    await settle()
    assert {message["about"] for message in socket.heard} == {"a", "b"}
    assert all(message["from"] != held[message["about"]] for message in socket.heard)


async def test_a_part_of_the_truth_is_told_as_a_part(hub):
    socket = Socket(hub)
    held = hub.join(socket, ["run:1"])
    hub.offer("run:1", [row("a")], whole=False)
    await settle()
    assert socket.rows == ["a"]
    assert socket.heard[0]["from"] != held["run:1"]


async def test_any_thread_may_offer(hub):
    socket = Socket(hub)
    hub.join(socket, ["board"])
    threads = [
        threading.Thread(target=hub.offer_from_anywhere, args=("board", [row(f"t{number}")], [], True))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await settle(MIN_INTERVAL + 0.1)
    assert sorted(socket.rows) == [f"t{number}" for number in range(8)]


def test_offering_where_nobody_ever_watched_does_nothing(hub):
    hub.offer_from_anywhere("board", [row("a")], [], True)


async def test_people_of_a_tenant_hear_of_its_rows_alone(hub):
    ours, all_of_it = Socket(hub), Socket(hub)
    hub.join(ours, ["board", "health"], frozenset({"acme"}))
    hub.join(all_of_it, ["board"])
    hub.offer("board", [{**row("a"), "tenant": "acme"}, {**row("b"), "tenant": "globex"}, row("c")])
    hub.offer("health", [{"kind": "health", "id": "health", "revision": 1, "status": "ok", "counts": {"dead": 7}}])
    await settle(MIN_INTERVAL * 2.2)
    assert (sorted(ours.rows), all_of_it.rows) == (["a", "health"], ["a", "b", "c"])
    assert [message["about"] for message in ours.heard] == ["board", "health"]
    assert "counts" not in ours.heard[1]["rows"][0]


async def test_people_of_a_tenant_are_not_told_the_ids_of_others_that_are_gone(hub):
    ours = Socket(hub)
    held = hub.join(ours, ["board"], frozenset({"acme"}))
    hub.offer("board", [], ["globex-run"])
    await settle()
    assert ours.heard[0]["gone"] == []
    assert ours.heard[0]["from"] != held["board"], "a hole: the browser asks the API"
    hub.leave(ours)
    assert not hub.wanted("board")
