"""Situations × commands after "joined": the real client in a local room that breaks on demand.

Each command is a separate process with a time limit: a documented status, at most one line on standard error,
nothing from the client's own log, no process left. Situations that no room can cause are in
test_daily_commands.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kits.command_kit import COMMANDS, LAST_GUEST, Run, arguments
from tests.kits.daily_room import PAL, LocalRoom, room_url
from tests.kits.program import Result
from tests.kits.room_kit import until
from tests.kits.tavus_api import KEY, local_api

Break = Callable[[LocalRoom], Awaitable[None]]
BRIEFLY: dict[str, Sequence[str]] = {"tail": ["--for", "3s"], "doctor": ["--for", "2s"]}
LONG: dict[str, Sequence[str]] = {
    "send": ["--wait", "shutdown", "--timeout", "50s"],
    "doctor": ["--for", "50s"],
}
ONCE: dict[str, Sequence[str]] = {name: ["--no-reconnect", *LONG.get(name, ())] for name in ("join", "tail")}


@dataclass
class Situation:
    """``breaks`` happens once the command has joined; ``ends``: the status of join, tail, send, doctor;
    ``words``: in the errors of those that do not end with 0; ``tail``: on the standard error of tail."""

    breaks: Break
    ends: tuple[int, int, int, int]
    words: str = ""
    more: tuple[int, int, int] = (0, 0, 0)  # run, tail --record, tail of a session
    script: str = "/wait 1s"  # of run, once it has said "hi"
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)
    joins: bool = True  # False: the command's join does not get through
    seconds: float = 50.0  # generous: the end has to come within
    open: bool = False  # join's input does not end
    tail: str = ""
    room: Mapping[str, Any] = field(default_factory=dict)


def is_joined(frame: dict[str, Any]) -> bool:
    """The last request of a join: what the room sends from then on arrives after it."""
    return frame.get("msgStr") == "create-transport" and frame["msgData"].get("direction") == "recv"


async def nothing(room: LocalRoom) -> None:
    pass


async def drop(room: LocalRoom) -> None:
    room.drop()


async def drop_for_good(room: LocalRoom) -> None:
    room.drop(for_good=True)


async def delete(room: LocalRoom) -> None:
    await room.delete()


async def mute(room: LocalRoom) -> None:
    room.mute()


async def flood(room: LocalRoom) -> None:
    await room.flood(20_000)


async def pal_leaves(room: LocalRoom) -> None:
    """While nobody is connected, so there is no event for it."""
    await room.say({"event_type": "system.pal_present"})
    await room.outage(0.0, PAL)


async def refuse(room: LocalRoom) -> None:
    """The client gives up after 25 s; when the program joins again, the token has expired."""
    room.faults.lookup = {"error": "exp-token"}
    room.drop(for_good=True)


async def large(room: LocalRoom) -> None:
    await room.say({"event_type": "large", "text": "x" * 1_000_000})


OVER = "the conversation is over: Daily ended the call"
CUT = "did not come back; the conversation may continue"
SITUATIONS: dict[str, Situation] = {
    "all is well": Situation(nothing, (0, 0, 0, 0), own=BRIEFLY),
    "a slow lookup": Situation(nothing, (0, 0, 0, 0), own=BRIEFLY, room={"lookup_delay": 1.5}),
    "a drop": Situation(drop, (0, 0, 0, 0), own=BRIEFLY),
    "20,000 messages at once": Situation(flood, (0, 0, 0, 0), own=BRIEFLY),
    "a message of 1 MB": Situation(large, (0, 0, 0, 0), own=BRIEFLY),
    "the room is deleted": Situation(
        delete,
        (6, 0, 6, 6),
        "Daily ended the call",
        (3, 0, 0),
        "/wait shutdown within 40s",
        own=LONG,
        open=True,
        tail=OVER,
    ),
    "lost for good": Situation(
        drop_for_good,
        (5, 5, 5, 5),
        "connection to the room",
        (5, 5, 5),
        "/wait shutdown within 28s",
        own={**LONG, **ONCE, "send": ["--wait", "shutdown", "--timeout", "30s"]},
        open=True,
        tail=CUT,
    ),
    "a silent server": Situation(
        mute,
        (5, 5, 5, 5),
        "connection to the room is interrupted",
        (5, 5, 5),
        "/wait shutdown within 14s",
        own={
            "join": ["--reply-timeout", "14s"],
            "tail": ["--for", "14s", "--until", "shutdown"],
            "send": ["--wait", "shutdown", "--timeout", "14s"],
            "doctor": ["--for", "14s"],
        },
        tail="shutdown did not arrive within 14 s; the connection to the room is interrupted",
    ),
}
SITUATIONS |= {
    "the PAL leaves during an outage": Situation(
        pal_leaves,
        (3, 0, 0, 0),
        "reply",
        own={"join": ["--reply-timeout", "5s"], "tail": ["--for", "24s"], "doctor": ["--for", "2s"]},
        room={"pal": None, "here": {PAL: "Nora"}},
        script="/wait 14s",
    ),
    "joined, then refused": Situation(
        refuse,
        (5, 5, 5, 5),
        "connection to the room",
        (5, 5, 5),
        "/wait shutdown within 45s",
        own=LONG,
        open=True,
        tail="expired",
    ),
    "never acknowledged": Situation(
        nothing,
        (5, 5, 5, 5),
        "never let us in",
        (5, 5, 5),
        own={name: ["--join-timeout", "3s"] for name in COMMANDS},
        joins=False,
        room={"socket": "silent", "pal": None},
    ),
}
SLOW = {"lost for good", "a silent server", "the PAL leaves during an outage", "joined, then refused"}


async def run(command: str, situation: Situation) -> Result:
    """In a room of its own, with a simulated PAL in it; everything is sent before the connection breaks."""
    options = {"pal": "sim:?speed=20", **situation.room}
    async with LocalRoom(**options) as room:
        more = situation.own.get(command, ())
        running = Run(arguments(command, room_url(), *more), room.environment, open=situation.open)
        await running.start()
        if situation.joins:
            await room.frame(is_joined)
            if command != "tail":
                await asked(room)
        await situation.breaks(room)
        return await ended(running, situation)


async def ended(running: Run, situation: Situation) -> Result:
    async with asyncio.timeout(situation.seconds):
        return await running.end()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SITUATIONS]
)
def test_whatever_happens_to_the_connection(name: str) -> None:
    situation = SITUATIONS[name]

    async def main() -> list[Result]:
        return await asyncio.gather(*(run(command, situation) for command in COMMANDS))

    results = dict(zip(COMMANDS, asyncio.run(main()), strict=True))
    assert tuple(result.status for result in results.values()) == situation.ends, results
    for command, result in results.items():
        if result.status:
            assert situation.words in (result.out if command == "doctor" else result.err), (command, result)
    assert situation.tail in results["tail"].err


async def run_script(situation: Situation, folder: Path) -> Result:
    script = folder / "script.tavus"
    script.write_text(f"hi\n{situation.script}\n")
    return await watched(situation, "run", "URL", str(script))


async def watched(situation: Situation, *words: str) -> Result:
    """One command that says something; tail says nothing."""
    async with LocalRoom(**{"pal": "sim:?speed=20", **situation.room}) as room:
        url = room_url()
        limit = [] if situation.joins else ["--join-timeout", "3s"]
        running = Run(
            [url if one == "URL" else one for one in (*words, *limit)],
            room.environment,
            report=words[0] == "run",
        )
        await running.start()
        if situation.joins:
            await room.frame(is_joined)
            if words[0] == "run":
                await asked(room)
        await situation.breaks(room)
        return await ended(running, situation)


async def record(situation: Situation, folder: Path) -> Result:
    """Whatever happens, the recording is whole: every line is JSON and has its line end."""
    path = folder / "talk.jsonl"
    result = await watched(situation, "tail", "URL", "--record", str(path), *situation.own.get("tail", ()))
    if situation.joins:
        text = path.read_text()
        assert text.endswith("\n")
        assert [json.loads(line) for line in text.splitlines()]
    return result


async def in_session(situation: Situation, folder: Path) -> Result:
    """``tail`` of a resident session, which has gone when that ends with a failure."""
    options = [one for one in situation.own.get("tail", ()) if one == "--no-reconnect"]
    if not situation.joins:
        options += ["--join-timeout", "3s"]
    async with LocalRoom(**{"pal": "sim:?speed=20", **situation.room}) as room:
        variables = {**room.environment, "TAVUS_CONSOLE_RUNTIME": str(folder / "run")}
        start = await Run(["session", "start", room_url(), *options], variables).end()
        if start.status:
            return start
        about = await listed(variables)
        following = [one for one in situation.own.get("tail", ()) if one != "--no-reconnect"]
        try:
            tail = Run(["tail", about["id"], *following], variables)
            await tail.start()
            while not (await listed(variables))["clients"]:
                pass
            await situation.breaks(room)
            result = await ended(tail, situation)
            if result.status in (5, 6) and situation.breaks is not mute:
                await until(lambda: not Path(f"/proc/{about['pid']}").exists())
            return result
        finally:
            await Run(["session", "stop", "--all"], variables).end()


async def listed(variables: dict[str, str]) -> dict[str, Any]:
    """What the only session reports about itself."""
    about: dict[str, Any] = json.loads((await Run(["session", "list", "--json"], variables).end()).out)
    return about


MORE = (run_script, record, in_session)


@pytest.mark.slow
@pytest.mark.parametrize("name", SITUATIONS)
def test_broken_connections_in_a_script_a_recording_and_a_session(name: str, tmp_path: Path) -> None:
    situation = SITUATIONS[name]

    async def main() -> list[Result]:
        return await asyncio.gather(*(one(situation, tmp_path) for one in MORE))

    results = asyncio.run(main())
    said = [(result.err, result.out[-300:]) for result in results]
    assert tuple(result.status for result in results) == situation.more, said
    if name == "the PAL leaves during an outage":
        assert all("the PAL left" in result.out for result in results[1:]), said


# -- nothing that arrived is lost ----------------------------------------------------------------------


def in_a_room(*arguments: str, breaks: Break, report: bool = False) -> tuple[Result, LocalRoom]:
    """One command, in a room where a test speaks for the PAL; ``URL`` among its words is the room's."""

    async def main() -> tuple[Result, LocalRoom]:
        async with LocalRoom(here={PAL: "Nora"}) as room:
            url = room_url()
            words = [url if one == "URL" else one for one in arguments]
            running = Run(words, room.environment, open=True, report=report)
            await running.start()
            await room.frame(is_joined)
            await breaks(room)
            return await running.end(), room

    return asyncio.run(main())


def event(number: int) -> dict[str, Any]:
    return {"event_type": "conversation.x", "seq": number, "properties": {}}


def test_a_flood_is_shown_whole_and_in_order() -> None:
    async def numbered(room: LocalRoom) -> None:
        await room.flood(20_000, event)

    result, _ = in_a_room("tail", "URL", "--count", "20000", "--format", "{seq}", breaks=numbered)
    assert (result.status, result.err) == (0, LAST_GUEST)
    assert result.lines == [str(number) for number in range(20_000)]


def test_filters_do_not_hide_the_end() -> None:
    result, _ = in_a_room("tail", "URL", "--only", "utterance", breaks=delete)
    assert (result.status, result.out) == (0, "")
    assert result.err == f"tavus-console: {OVER}\n"


def test_what_is_missing_after_a_break_is_shown(tmp_path: Any) -> None:
    """The connection breaks and is back, with times; numbers continue; a recording says so too."""

    async def gone_and_back(room: LocalRoom) -> None:
        await room.say(event(1))
        await room.say(event(2))
        before = len(joins(room))
        room.drop()
        await room.frame(lambda _: len(joins(room)) > before)
        await room.say(event(5))

    path = tmp_path / "talk.jsonl"
    result, _ = in_a_room("tail", "URL", "--count", "3", "--record", str(path), breaks=gone_and_back)
    assert result.status == 0
    assert "the connection to the room is interrupted" in result.out
    assert "the connection to the room is back after" in result.out
    assert "3–4" in result.out
    assert "the connection to the room is interrupted" in path.read_text()


def joins(room: LocalRoom) -> list[Any]:
    return [frame for frame in room.frames if frame.get("msgStr") == "join-for-sig"]


def test_the_pal_leaves_and_returns() -> None:
    async def leaves(room: LocalRoom) -> None:
        await room.say({"event_type": "system.pal_present"})
        await room.go(PAL)
        await room.come(PAL, "Nora")
        await room.say({"event_type": "system.pal_present"})

    # Until a time, not a message: the client may report a participant after what they say.
    result, _ = in_a_room("tail", "URL", "--for", "4s", breaks=leaves)
    assert result.status == 0
    assert result.out.index("the PAL left") < result.out.index("the PAL is back")


def test_a_wait_that_fails_says_that_the_pal_left() -> None:
    async def leaves(room: LocalRoom) -> None:
        await asked(room)
        await room.go(PAL)

    result, _ = in_a_room("send", "URL", "respond", "hi", "--wait", "reply", "--timeout", "2s", breaks=leaves)
    assert result.status == 3
    assert "; the PAL left " in result.err


def test_a_script_that_expects_nothing_reports_the_end(tmp_path: Path) -> None:
    (tmp_path / "script.tavus").write_text("hi\n/wait 50s\n")

    async def over(room: LocalRoom) -> None:
        await room.say({"event_type": "system.pal_present"})
        await asked(room)
        await room.delete()

    result, _ = in_a_room("run", "URL", str(tmp_path / "script.tavus"), breaks=over)
    assert (result.status, result.err) == (0, f"tavus-console: {OVER}\n")


def test_tools_say_what_happens_to_the_line_and_how_it_ended() -> None:
    """Answers are sent by themselves, so only a warning says that one may not have arrived."""

    async def breaks(room: LocalRoom) -> None:
        await room.say({"event_type": "system.pal_present"})
        await room.say(
            {
                "event_type": "conversation.tool_call",
                "seq": 1,
                "turn_idx": 1,
                "properties": {"name": "get_hours", "tool_call_id": "c1", "arguments": "{}"},
            }
        )
        await asked(room)
        before = len(joins(room))
        room.drop()
        await room.frame(lambda _: len(joins(room)) > before)
        await room.delete()

    result, _ = in_a_room("tools", "URL", "--tool", "get_hours=echo nine", breaks=breaks, report=True)
    assert (result.status, result.out.count("get_hours c1 answered")) == (0, 1)
    broke, back, over = result.err.splitlines()
    assert broke.endswith("it may not have arrived: tool_result")
    assert "is back after" in back
    assert over == f"tavus-console: {OVER}"


@pytest.mark.slow
def test_tools_that_are_cut_off_end_with_5() -> None:
    result, _ = in_a_room("tools", "URL", "--tool", "get_hours=echo nine", breaks=refuse, report=True)
    assert result.status == 5
    assert "expired" in result.err.splitlines()[-1]


async def asked(room: LocalRoom) -> None:
    await room.frame(lambda frame: frame.get("msgStr") == "sig-msg")


def test_waits_end_with_the_shutdown_of_a_room_that_stays_open() -> None:
    async def shuts(room: LocalRoom) -> None:
        await asked(room)
        await room.say({"event_type": "system.shutdown", "properties": {"reason": "max_call_duration"}})

    result, _ = in_a_room("send", "URL", "respond", "hi", "--wait", "reply", breaks=shuts)
    assert result.status == 6
    assert "the PAL shut it down" in result.err


def test_the_first_numbers_come_in_order() -> None:
    async def mixed(room: LocalRoom) -> None:
        for number in (42, 41, 43):
            await room.say(event(number))

    result, _ = in_a_room("tail", "URL", "--count", "3", "--format", "{seq}", breaks=mixed)
    assert result.lines == ["41", "42", "43"]


# -- an answer after joining again ----------------------------------------------------------------------


async def answer(room: LocalRoom) -> None:
    for seq, role, text in ((1, "user", "hi"), (2, "pal", "Hello again")):
        await room.say(
            {
                "event_type": "conversation.utterance",
                "seq": seq,
                "turn_idx": 1,
                "properties": {"role": role, "speech": text},
            }
        )


def test_a_reply_that_comes_on_the_next_line() -> None:
    async def breaks(room: LocalRoom) -> None:
        await asked(room)
        before = len(joins(room))
        room.drop()
        await room.frame(lambda _: len(joins(room)) > before)
        await answer(room)

    result, _ = in_a_room("send", "URL", "respond", "hi", "--wait", "reply", breaks=breaks)
    assert (result.status, result.out) == (0, "Hello again\n")


@pytest.mark.slow
def test_a_reply_that_comes_after_joining_again() -> None:
    """The client gives up after 25 s; the program joins again, as another participant, and waits."""

    async def breaks(room: LocalRoom) -> None:
        await asked(room)
        await room.outage(26.0)
        await room.frame(lambda _: sum(map(is_joined, room.frames)) > 1, 60.0)
        await answer(room)

    result, _ = in_a_room(
        "send", "URL", "respond", "hi", "--wait", "reply", "--timeout", "50s", breaks=breaks
    )
    assert (result.status, result.out) == (0, "Hello again\n")


@pytest.mark.slow
def test_giving_up_ends_the_conversation_if_asked_to() -> None:
    """An empty room does not stay billed: the connection is cut for good, and joining again is given up."""

    async def main() -> Result:
        async with LocalRoom(here={PAL: "Nora"}) as room:
            key = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
            options = ["--end-on-exit", "--reconnect-timeout", "2s"]
            url = f"https://tavus.daily.co/{conversation}"
            words = ["join", url, *options]
            running = Run(words, {**room.environment, **key}, typed="", open=True)
            await running.start()
            await room.frame(is_joined)
            assert api.active == [conversation]
            room.drop(for_good=True)
            return await running.end()

    with local_api() as api:
        conversation = api.add()
        result = asyncio.run(main())
        assert (result.status, api.active) == (5, []), result
