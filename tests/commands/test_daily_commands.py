"""Situations × commands: whatever a Daily room does, join, tail, send and doctor end as documented.

Each is a separate process with a time limit: a documented status, at most one line on standard error, no
traceback, nothing from the client's own log, no hang. These are situations after "joined", with the fake;
those before it, with the real client, are in test_daily_commands_real.py.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kits.command_kit import COMMANDS, LAST_GUEST, URL, Run, arguments, faked
from tests.kits.fake_daily import Scenario
from tests.kits.program import CONSOLE, Result
from tests.kits.signals import handles
from tests.kits.tavus_api import KEY, PAL, local_api
from tests.kits.tmux import Pane, needs_tmux, pane

HELLO = {"event_type": "conversation.utterance", "seq": 1, "properties": {"role": "pal", "speech": "Hello"}}


@dataclass
class Situation:
    """``ends``: the status of join, tail, send, doctor.

    ``options`` go to each command, ``own`` to one. ``words``: in the error of every command that does not end
    with 0. ``open``: its input does not end.
    """

    scenario: Scenario
    ends: tuple[int, int, int, int]
    words: str = ""
    options: Sequence[str] = ()
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)
    open: bool = False
    over: str = ""  # what tail says, which ends with 0


REPLY: dict[str, list[Any]] = {
    "conversation.respond": [
        {
            "event_type": "conversation.utterance",
            "seq": seq,
            "turn_idx": 1,
            "properties": {"role": role, "speech": speech},
        }
        for seq, role, speech in ((2, "user", "hi"), (3, "pal", "Hello again"))
    ]
}
BRIEFLY: dict[str, Sequence[str]] = {"tail": ["--for", "300ms"], "doctor": ["--for", "300ms"]}
LONG: dict[str, Sequence[str]] = {"send": ["--wait", "shutdown"], "doctor": ["--for", "30s"]}


def good(**changes: Any) -> Scenario:
    return Scenario(**{"early": [HELLO], "answers": REPLY} | changes)


REMOVED = "we were removed from the room"
FAKE: dict[str, Situation] = {
    "all is well": Situation(good(), (0, 0, 0, 0), own=BRIEFLY),
    "no longer there": Situation(good(join="RoomInfoError(NoLongerAvailable)"), (6, 6, 6, 6), "over"),
    "not allowed": Situation(good(join='RoomInfoError(Unhandled("exp-token"))'), (4, 4, 4, 4), "token"),
    "something new": Situation(good(join="NeverSeenBefore(7)"), (5, 5, 5, 5), "NeverSeenBefore(7)"),
    "never let in": Situation(
        good(join="never", early=[]), (5, 5, 5, 5), "never let us in", ["--join-timeout", "500ms"]
    ),
    "only the state says joined": Situation(good(join="state only"), (0, 0, 0, 0), own=BRIEFLY),
    "settings are never confirmed": Situation(good(settings="never"), (0, 0, 0, 0), own=BRIEFLY),
    "no PAL comes": Situation(
        good(people=[], early=[]),
        (5, 0, 5, 5),
        "the PAL did not join within 0.3 s",
        own={name: ["--ready-timeout", "300ms"] for name in ("join", "send")}
        | {"tail": ["--for", "300ms"], "doctor": ["--ready-timeout", "300ms", "--for", "100ms"]},
    ),
    "refused": Situation(good(send="Custom(No)"), (1, 0, 1, 1), "not sent: Custom(No)", own=BRIEFLY),
    "not confirmed": Situation(good(send="never"), (1, 0, 1, 1), "may have been sent", own=BRIEFLY),
    "leave not confirmed": Situation(good(leave="never"), (0, 0, 0, 1), "confirm leaving", own=BRIEFLY),
    "the client never lets go": Situation(good(release="never"), (0, 0, 0, 1), "let go", own=BRIEFLY),
    "removed": Situation(
        good(steps=[{"after": 0.3, "end": "Ejected"}]),
        (6, 0, 6, 6),
        "removed",
        own=LONG,
        open=True,
        over=REMOVED,
    ),
    "ended without a word": Situation(
        good(steps=[{"after": 0.3, "end": ""}]),
        (6, 0, 6, 6),
        "Daily ended the call",
        own=LONG,
        open=True,
        over="Daily ended the call",
    ),
    "removed at once": Situation(
        good(steps=[{"end": "Ejected"}]), (6, 0, 6, 6), "removed", own=LONG, open=True, over=REMOVED
    ),
    "removed while sending": Situation(
        good(send="never", steps=[{"after": 0.5, "end": "Ejected"}]),
        (6, 0, 6, 6),
        "removed",
        own=LONG,
        open=True,
        over=REMOVED,
    ),
    "the network goes and comes": Situation(
        good(
            steps=[
                {"after": 0.5, "network": "interrupted"},  # what is sent meanwhile is refused
                {"after": 0.05, "network": "connected"},
                {"error": "Some(Thing)"},
            ]
        ),
        (0, 0, 0, 0),
        own={"tail": ["--for", "1s"], "doctor": ["--for", "1s"]},
    ),
    "a flood": Situation(good(steps=[{"flood": 20_000}]), (0, 0, 0, 0), own=BRIEFLY),
}


def test_who_leaves_as_the_last_guest_is_told_once(tmp_path: Path) -> None:
    """But not where the conversation is ended anyway."""
    script, tools = tmp_path / "s.tavus", tmp_path / "t.toml"
    script.write_text("/wait 10ms\n")
    tools.write_text('[[tool]]\nname = "get_hours"\ncommand = ["true"]\n')
    run = ["run", "URL", str(script)]
    removed = good(steps=[{"after": 0.3, "end": "Ejected"}])
    alone = [
        (["send", "URL", "-"], good()),
        (run, good()),
        ([*run, "--json"], good()),
        ([*run, "--repeat", "3"], good()),
    ]
    ended = [
        (["tools", "URL", "--tools", str(tools)], removed),
        (["join", "ID", "--end-on-exit"], good()),
        (["join", "ID"], good()),  # with /end
        (["join", "--new", "--pal", PAL], good()),
        (["run", "--new", "--pal", PAL, "--max-cost-minutes", "9", str(script)], good()),
    ]

    async def main(name: str, base_url: str) -> list[Result]:
        async def one(words: list[str], scenario: Scenario) -> Result:
            words = [{"URL": URL, "ID": name}.get(word, word) for word in words]
            api = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": base_url, "XDG_STATE_HOME": str(tmp_path)}
            return await Run(words, faked(scenario) | api, typed="/end\n", report=True).end()

        return await asyncio.gather(*(one(*each) for each in (*alone, *ended)))

    with local_api(behind=URL) as api:
        results = asyncio.run(main(api.add(), api.base_url))
    told = [result.err.count(LAST_GUEST) for result in results]
    assert told == [1] * len(alone) + [0] * len(ended), results
    assert not any(result.status for result in results[1:]), results  # the first was sent "/end" as a line


WAITED_OUT = {  # our own limits, of several seconds
    "not confirmed",
    "settings are never confirmed",
    "leave not confirmed",
    "the client never lets go",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in WAITED_OUT else []) for name in FAKE]
)
def test_whatever_the_room_does_a_command_ends_as_documented(name: str) -> None:
    situation = FAKE[name]
    child = faked(situation.scenario)

    async def one(command: str) -> Result:
        options = [*situation.options, *situation.own.get(command, ())]
        return await Run(arguments(command, URL, *options), child, open=situation.open).end()

    async def main() -> list[Result]:
        return await asyncio.gather(*map(one, COMMANDS))

    results = asyncio.run(main())
    assert tuple(result.status for result in results) == situation.ends, results
    for command, result in zip(COMMANDS, results, strict=True):
        if result.status != 0:
            assert situation.words in (result.out if command == "doctor" else result.err), (command, result)
            assert bool(result.err) if command != "doctor" else result.err in ("", LAST_GUEST)
        else:
            over = f"tavus-console: the conversation is over: {situation.over}\n" if situation.over else ""
            assert result.err == (over or LAST_GUEST), (command, result)


BROKEN = {
    "no wheel for this machine": "raise ImportError('no wheel for this machine')\n",
    "no threads left": """from enum import Enum
LogLevel = Enum("LogLevel", ["Off"])
class Daily:
    def init(log_level): pass
class EventHandler: pass
def CallClient(event_handler): raise RuntimeError("no threads left")
""",
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_client_that_cannot_be_loaded_or_started(words: str, tmp_path: Path) -> None:
    (tmp_path / "daily.py").write_text(BROKEN[words])

    async def main() -> list[Result]:
        path = {"PYTHONPATH": str(tmp_path)}
        return await asyncio.gather(*(Run(arguments(command, URL), path).end() for command in COMMANDS))

    for result in asyncio.run(main()):
        assert result.status == 5
        assert words in result.out + result.err


def test_signals_in_a_room_that_confirms_nothing() -> None:
    scenario = good(send="never", leave="never", release="never", answers={})
    child = faked(scenario)

    async def main() -> list[tuple[int, Result]]:
        async def one(command: str, number: int) -> tuple[int, Result]:
            options = ["--for", "1h"] if command == "doctor" else []
            run = Run(arguments(command, URL, *options), child, open=True)
            process = await run.start()
            if command == "send":
                await handles(process.pid)
            else:
                assert process.stdout is not None
                await process.stdout.readline()
            process.send_signal(number)
            return number, await run.end()

        stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        return await asyncio.gather(*(one(command, number) for command in COMMANDS for number in stops))

    for number, result in asyncio.run(main()):
        assert result.status == 128 + number
        assert result.err in ("", LAST_GUEST)  # once they have joined


@pytest.mark.parametrize("command", ["join", "tail"])
def test_a_recording_of_a_join_that_failed_is_not_left_behind(command: str, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"

    async def main(scenario: Scenario) -> Result:
        options = ["--record", str(path), *BRIEFLY.get(command, ())]
        return await Run(arguments(command, URL, *options), faked(scenario)).end()

    assert asyncio.run(main(good(join="RoomInfoError(NotYetAvailable)", early=[]))).status == 5
    assert not path.exists()
    assert asyncio.run(main(good())).status == 0
    assert len(path.read_text().splitlines()) > 1
    assert asyncio.run(main(good())).status == 2


# -- on a terminal -------------------------------------------------------------------------------------


def terminal(folder: Path, scenario: Scenario, *command: str) -> AbstractContextManager[Pane]:
    child = faked(scenario)
    return pane(
        folder, *command, PYTHONPATH=child["PYTHONPATH"], FAKE_DAILY=child["FAKE_DAILY"],
        TAVUS_CONSOLE_HISTORY=str(folder / "history"),
    )  # fmt: skip


@needs_tmux
def test_the_console_ends_with_the_room(tmp_path: Path) -> None:
    scenario = good(steps=[{"after": 0.5, "end": "Ejected"}])
    with terminal(tmp_path, scenario, CONSOLE, "join", URL) as shown:
        shown.shows("we were removed from the room")
        shown.shows("Enter or Ctrl-D leaves")
        shown.keys("Enter")
        assert shown.ends() == 6


@needs_tmux
def test_ctrl_d_ends_a_join_that_never_ends(tmp_path: Path) -> None:
    with terminal(tmp_path, good(join="never"), CONSOLE, "join", URL) as shown:
        shown.shows("Hello")
        shown.keys("C-d")
        assert shown.ends() == 0


@needs_tmux
@pytest.mark.parametrize("command", ["tail", "send", "join"])
def test_a_terminal_shows_what_is_waited_for(command: str, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    line = " ".join([CONSOLE, *arguments(command, URL)]) + " < /dev/null"  # join without a prompt
    scenario = good(people=[], early=[], log=str(log))
    with terminal(tmp_path, scenario, "sh", "-c", f"exec {line}") as shown:
        shown.shows(f"joining {URL} …")
        shown.shows("joined; the PAL is not there yet")
        if command != "tail":
            shown.shows("waiting for the PAL, at most 300 s …")
        shown.keys("C-c")
        assert shown.ends() == 130
    calls = [json.loads(call)[0] for call in log.read_text().splitlines()]
    assert [call for call in calls if call != "joined"][-2:] == ["leave", "release"]
