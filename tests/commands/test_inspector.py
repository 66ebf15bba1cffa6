"""Commands that the console itself answers: tables, searches, filters, keys, the pause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tavus_cli.commands.join.inspector import FOUND, Inspector
from tavus_cli.errors import UsageError
from tavus_cli.language.selection import Selection
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.session.environment import local_time
from tavus_cli.views.line import LineView
from tavus_cli.views.theme import PLAIN
from tests.commands.test_console import run
from tests.kits.conversations import START, message
from tests.kits.emulator import Terminal

Keys = Callable[[str], None]
F1, F2, F3, F4 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"


def text(terminal: Terminal) -> str:
    return "\n".join(terminal.rows())


def test_tables_of_turns_and_latencies() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        keys("How much is it?\r")
        await terminal.shows("twelve euros")
        keys("/turns\r")
        await terminal.until(lambda: any("turn" in row and "reply" in row for row in terminal.rows()))
        keys("/stats\r")
        await terminal.shows("p95")

    run("sim:?speed=20", act)


def test_a_table_of_tool_calls() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        keys("What are your hours?\r")
        await terminal.shows("tool call open")
        keys("/tools\r")
        await terminal.until(lambda: text(terminal).count("get_hours") == 2)
        keys("/tool-result \t")
        await terminal.until(lambda: any(row.startswith("› /tool-result call_") for row in terminal.rows()))

    run("sim:?speed=20", act)


def test_an_event_in_full_and_a_search() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("museum".capitalize())
        keys("/event 1\r")
        await terminal.shows('"system.replica_joined"')
        keys("/event 999\r")
        await terminal.shows("✗ no event 999")
        keys("/find lantern MUSEUM\r")
        await terminal.until(lambda: text(terminal).count("Lantern Museum") >= 2)
        keys("/find nothing like it\r")
        await terminal.shows("nothing among")
        keys("/find (\r")
        await terminal.shows("✗ /find:")
        keys("/turn 0\r")
        await terminal.until(lambda: text(terminal).count("turn 0 ") >= 2)
        keys("/turn 7\r")
        await terminal.shows("✗ no turn 7")

    run("sim:?speed=max", act)


def looking(texts: Iterable[str]) -> Inspector:
    conversation = Conversation()
    one = Inspector(conversation, Selection(), PLAIN, lambda: LineView(local_time, theme=PLAIN), 100_000)
    for seq, said in enumerate(texts):
        spoken = message("conversation.utterance", seq=seq, role="user", speech=said)
        one.log.add(conversation.receive(spoken, START + seq))
    return one


def test_find_shows_the_latest_matches_in_order() -> None:
    lines = asyncio.run(looking(f"number {number}" for number in range(300)).find("^NUMBER"))
    assert len(lines) == FOUND
    assert lines[0].endswith("number 100")
    assert lines[-1].endswith("number 299")


def test_find_does_not_block_the_console() -> None:
    async def main() -> int:
        turns = 0

        async def go_on() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        going = asyncio.create_task(go_on())
        lines = await looking("words" for _ in range(20_000)).find("absent")
        going.cancel()
        assert lines == ["nothing among 20,000 entries matches"]
        return turns

    assert asyncio.run(main()) > 5


def test_a_search_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(UsageError, match="takes too long"):
        asyncio.run(looking(["a" * 20_000]).find("a.*" * 9 + "b"))


def test_the_live_view_is_steered() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys("/only utterance\r")
        await terminal.shows("shown: only utterance")
        keys("How much is it?\r")
        await terminal.shows("twelve euros")
        assert not any("prices-2026" in row for row in terminal.rows())
        keys("/only\r")
        await terminal.shows("shown: all types")
        keys("/only uterance\r")
        await terminal.shows("did you mean utterance?")
        keys("/where a ||\r")
        await terminal.shows("✗ /where")

    run("sim:?speed=20", act)


def test_f3_unfolds_and_f2_shows_partials() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys(F3)
        await terminal.shows("everything is shown")
        keys("How much is it?\r")
        await terminal.shows("↩ twin")
        keys(F3)
        await terminal.shows("are folded")
        keys(F2)
        await terminal.shows("partials are shown")

    run("sim:?speed=20", act)


def test_f4_pauses_and_loses_nothing() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("sim.load")
        keys(F4)
        await terminal.shows("PAUSED")
        before = text(terminal).count("sim.load")
        await terminal.until(lambda: any("PAUSED, 1" in row for row in terminal.screen.display))
        assert text(terminal).count("sim.load") == before
        keys(F4)
        await terminal.until(lambda: text(terminal).count('"number":199,') == 1)

    _, terminal = run("sim:?rate=100&events=200", act)
    assert [row for row in terminal.rows() if "sim.load" in row] != []
    assert text(terminal).count("sim.load") == 200


def test_what_waits_in_a_pause_is_shown_at_the_end() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys(F4)
        await terminal.shows("PAUSED")
        keys("How much is it?\r")
        await terminal.until(
            lambda: any("PAUSED" in row and " reply " in row for row in terminal.screen.display)
        )

    _, terminal = run("sim:?speed=20", act)
    assert "twelve euros" in text(terminal)


@pytest.mark.parametrize("key", [F1, "?"])
def test_the_keys_are_reported(key: str) -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys(key)
        await terminal.shows("F4               pause")
        keys("why?")
        await terminal.input_is("why?")

    run("sim:?speed=max", act)


def test_copying_as_code() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys("How much is it?\r")
        await terminal.shows("twelve euros")
        keys("/copy as shell\r")
        await terminal.shows("tavus-console send")
        keys("/copy as python 1\r")
        await terminal.shows("send_app_message")
        keys("/copy as basic\r")
        await terminal.shows("✗")

    run("sim:?speed=20", act)


def test_the_same_long_text_sent_twice_causes_a_warning(tmp_path: Path) -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys("long " * 60 + "\r")
        await terminal.shows("respond long")
        keys("long " * 60 + "\r")
        await terminal.shows("same long text")

    run("sim:?speed=20", act)


def test_a_message_that_may_be_too_long_is_reported_before_it_is_sent() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys("How much is it? " + "really " * 700 + "\r")
        await terminal.until(lambda: "respond How much" in text(terminal))
        told, sent = text(terminal).find("over 4,096"), text(terminal).find("respond How much")
        assert 0 < told < sent

    run("sim:?speed=20", act)


def test_a_waiting_tool_call_is_highlighted() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        await terminal.shows("PAL present")
        keys("What are your hours?\r")
        await terminal.shows("!! get_hours waits")

    run("sim:?speed=4", act)


def test_patterns_that_would_hold_the_prompt_are_refused_or_give_up() -> None:
    async def act(terminal: Terminal, keys: Keys) -> None:
        for line, told in (
            ("/find " + "(" * 300, "/find: "),
            ("/find ((a{100}){100}){100}", "repeats too much"),
            ("/where " + "||".join("a" * 150), "nested too deep"),
        ):
            keys(line + "\r")
            await terminal.shows(told)
        keys('/when utterance text~"(a|aa)+$" /respond hi\r')
        keys("a" * 60 + "!\r")
        await terminal.shows("takes too long")
        keys("still here\r")
        await terminal.shows("still here")

    run("sim:?speed=20", act)
