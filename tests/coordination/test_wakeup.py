"""Rules of waking readers."""

import asyncio
import threading
import time

from coordination.wakeup import Wakeup


async def test_a_change_between_looking_and_waiting_is_not_missed() -> None:
    wakeup = Wakeup()
    seen = wakeup.version
    wakeup.wake()
    assert await asyncio.wait_for(wakeup.wait(seen, 60), 1)


async def test_a_wait_without_change_ends_at_its_timeout() -> None:
    wakeup = Wakeup()
    started = time.monotonic()
    assert not await wakeup.wait(wakeup.version, 0.05)
    assert 0.04 <= time.monotonic() - started < 1


async def test_everybody_who_waits_is_woken() -> None:
    wakeup = Wakeup()
    waits = [asyncio.create_task(wakeup.wait(wakeup.version, 60)) for _ in range(5)]
    await asyncio.sleep(0.01)
    wakeup.wake()
    assert await asyncio.wait_for(asyncio.gather(*waits), 1) == [True] * 5


async def test_another_thread_wakes_a_reader_at_once() -> None:
    wakeup = Wakeup()
    threading.Timer(0.05, wakeup.wake).start()
    started = time.monotonic()
    assert await wakeup.wait(wakeup.version, 60)
    assert time.monotonic() - started < 1


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(wakeup.version, 60))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    wakeup.wake()
    assert waiting.cancelled()
    assert not await wakeup.wait(wakeup.version, 0.01)


def test_a_loop_closed_in_the_middle_of_a_wait_does_not_break_waking() -> None:
    wakeup = Wakeup()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    waiting = loop.create_task(wakeup.wait(wakeup.version, 60))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    wakeup.wake()
    assert wakeup.version == 1
    assert not waiting.done()
