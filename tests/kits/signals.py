"""Every command, in each of its states, stopped by a signal; for tests and the bench.

``stopped(CASES[n], world, SIGINT)`` starts the command, waits until it is in the state of the case, sends the
signal and perhaps a second one, and returns how the command ended, and after how many seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.kits.daily_room import LocalRoom, in_thread, room_url
from tests.kits.program import CONSOLE, SAMPLES, environ, unmeasured
from tests.kits.tavus_api import KEY, PAL, LocalApi, Request, local_api

ID = "c000000000000001"
SECONDS = 60.0  # no wait is this long unless it fails
MARK = "TAVUS_TEST_MARK"  # set in the environment of all processes that a case starts


@dataclass
class World:
    """An API and rooms; ``held`` requests (by path) wait until ``go_on``."""

    api: LocalApi
    room: LocalRoom
    folder: Path
    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    held: list[str] = field(default_factory=list)

    def before(self, request: Request) -> None:
        if any(one in f"{request.method} {request.path}" for one in self.held):
            self.asked.set()
            self.go_on.wait(SECONDS)


@contextlib.contextmanager
def world(folder: Path, socket: str = "joined") -> Iterator[World]:
    with local_api(behind=room_url()) as api, in_thread(LocalRoom(socket=socket)) as room:  # type: ignore[arg-type]
        one = World(api, room, folder)
        api.before = one.before
        (folder / "script").write_text("/wait 50s\n")
        (folder / "tools.toml").write_text('[[tool]]\nname = "get_hours"\ncommand = ["true"]\n')
        try:
            yield one
        finally:
            one.go_on.set()


Ready = Callable[[World, subprocess.Popen[str]], None]


@dataclass(frozen=True)
class Case:
    """``ready`` returns once the command is in the state that ``doing`` describes.

    ``socket``: how far the room lets it get. ``billed``: what a second signal must name. ``held_then``: also
    held if there is a second signal. ``mute``: the room answers nothing to its leaving.
    """

    doing: str
    arguments: tuple[str, ...]
    ready: Ready
    held: str = "nothing"
    held_then: str = "nothing"
    socket: str = "joined"
    billed: str = ""
    mute: bool = False

    @property
    def name(self) -> str:
        return f"{self.doing}: {' '.join(self.arguments)}"


def at_once(world: World, child: subprocess.Popen[str]) -> None:
    """In the first moment that is ours: the program has taken its signals."""
    taken = 1 << (signal.SIGTERM - 1)
    end = time.monotonic() + SECONDS
    while child.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{child.pid}/status").read_text()
            caught = [line.split()[1] for line in text.splitlines() if line.startswith("SigCgt")]
            if not caught or int(caught[0], 16) & taken:
                return
        threading.Event().wait(0.001)


def before(world: World, child: subprocess.Popen[str]) -> None:
    """Python itself is still starting, or our first line runs."""


def asked(world: World, child: subprocess.Popen[str]) -> None:
    assert world.asked.wait(SECONDS), "the API was not asked"


def joining(world: World, child: subprocess.Popen[str]) -> None:
    world.room.soon(world.room.joining()).result(SECONDS)


def joined(world: World, child: subprocess.Popen[str]) -> None:
    """The client has joined: it sent the frame that follows the answer to its join."""
    joining(world, child)
    world.room.soon(world.room.frame(lambda frame: frame.get("msgStr") != "join-for-sig")).result(SECONDS)


URL = room_url("signals")
ROOMS = (
    ("join", URL),
    ("tail", URL),
    ("send", URL, "respond", "hi", "--wait", "reply"),
    ("run", URL, "FOLDER/script"),
    ("tools", URL, "--tools", "FOLDER/tools.toml"),
    ("doctor", "--room", URL, "--for", "50s"),
    ("session", "start", URL),
)
NEW = ("join", "--new", "--pal", PAL)
SUITE = ("run", "FOLDER/script", "--new", "--pal", PAL, "--repeat", "2")
START = ("session", "start", "--new", "--pal", PAL)
CREATE = ("conversation", "create", "--pal", PAL)
MAYBE = "conversation list --status active"
NOT_ENDED = f"NOT ENDED: to end it: tavus-console conversation end {ID}"
MAY_NOT = f"may not have ended: tavus-console conversation end {ID}"
LOOK_UPS = (
    ("join", ID),
    ("tail", ID),
    ("send", ID, "respond", "hi"),
    ("run", ID, "FOLDER/script"),
    ("doctor", "--room", ID),
    ("session", "start", ID),
    ("conversation", "list"),
    ("conversation", "get", ID),
    ("webhooks", "pull", ID, "--forward-to", "http://127.0.0.1:9/"),
)
LOCAL = (("replay", str(SAMPLES)), ("report", str(SAMPLES)), ("config", "show"), ("help", "scripts"))

CASES = (
    *(Case("starting", one, at_once) for one in (*ROOMS, *LOOK_UPS, *LOCAL, NEW, CREATE, ("local",))),
    *(Case("looking up", one, asked, held="/v2/conversations") for one in LOOK_UPS),
    Case("creating", CREATE, asked, held="POST /v2/conversations", billed=MAYBE),
    Case("creating", NEW, asked, held="POST /v2/conversations", billed=MAYBE),
    Case("creating", SUITE, asked, held="POST /v2/conversations", billed=MAYBE),
    Case("creating", START, asked, held="POST /v2/conversations", billed=MAYBE),
    Case("joining", START, joining, socket="silent", held_then="/end", billed=NOT_ENDED),
    Case("ending", ("conversation", "end", ID, "--yes"), asked, held="/end", billed=MAY_NOT),
    *(Case("joining", one, joining, socket="silent") for one in ROOMS),
    Case("joining", NEW, joining, socket="silent", held_then="/end", billed=NOT_ENDED),
    *(Case("joined", one, joined) for one in ROOMS if one[0] != "session"),
    Case("joining", SUITE, joining, socket="silent", held_then="/end", billed=NOT_ENDED),
    Case("joined", NEW, joined, held_then="/end", billed=NOT_ENDED),
    Case("joined", SUITE, joined, held_then="/end", billed=NOT_ENDED),
    *(Case("leaving", one, joined, mute=True) for one in ROOMS if one[0] != "session"),
    Case("leaving", NEW, joined, mute=True, held="/end", billed=NOT_ENDED),
)


@dataclass(frozen=True)
class Outcome:
    """``left``: processes of the case that are still running; ``again``: whether the signal was sent once
    more.
    """

    status: int
    seconds: float
    out: str
    err: str
    left: list[int]
    again: bool = False


def stopped(
    case: Case,
    world: World,
    first: int,
    second: int | None = None,
    after: float = 0.0,
    patience: float = SECONDS,
) -> Outcome:
    """``after``: seconds between ``ready`` and the signal, where no event shows the state; ``patience``:
    seconds until it is sent once more, where Python itself may lose the first one while it starts.
    """
    mark = uuid.uuid4().hex
    world.held = [case.held] + [case.held_then] * (second is not None)
    variables = world.room.environment | {
        "TAVUS_API_KEY": KEY,
        "TAVUS_API_BASE_URL": world.api.base_url,
        "XDG_STATE_HOME": str(world.folder / "state"),
        "TAVUS_CONSOLE_RUNTIME": str(world.folder / "run"),
        MARK: mark,
    }
    arguments = [one.replace("FOLDER", str(world.folder)) for one in case.arguments]
    with subprocess.Popen(
        [CONSOLE, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The import that starts coverage swallows an interrupt.
        env=(unmeasured() if case.doing == "starting" else environ()) | variables,
    ) as child:
        try:
            case.ready(world, child)
            if case.mute:
                world.room.soon(_mute(world.room)).result(SECONDS)
            time.sleep(after)
            begun = time.monotonic()
            child.send_signal(first)
            if second is not None:
                _until_heeded(child, first)
                begun = time.monotonic()
                child.send_signal(second)
            again = False
            try:
                status = child.wait(patience)
            except subprocess.TimeoutExpired:
                if patience >= SECONDS:
                    raise
                again = True
                child.send_signal(first)
                status = child.wait(SECONDS)
            seconds = time.monotonic() - begun
            out, err = child.communicate(timeout=SECONDS)
        finally:
            child.kill()
    return Outcome(status, seconds, out, err, alive(mark), again)


async def _mute(room: LocalRoom) -> None:
    room.mute()


def _until_heeded(child: subprocess.Popen[str], number: int) -> None:
    """Wait until a first signal is no longer pending, and the program has had a moment to act on it."""
    end = time.monotonic() + SECONDS
    while child.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError, StopIteration):
            text = Path(f"/proc/{child.pid}/status").read_text()
            lines = [line.split()[1] for line in text.splitlines() if line[:6] in ("SigPnd", "ShdPnd")]
            if not any(int(one, 16) >> (number - 1) & 1 for one in lines):
                break
    threading.Event().wait(0.05)


def alive(mark: str) -> list[int]:
    """Processes with this mark that are still running, after they have had time to end."""
    end = time.monotonic() + 10
    while (found := _marked(mark)) and time.monotonic() < end:
        threading.Event().wait(0.05)
    return found


def _marked(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return [one for one in found if one != os.getpid()]


async def handles(pid: int) -> None:
    """Wait until the process has set handlers for INT, TERM and HUP (/proc shows it on Linux)."""
    wanted = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    async with asyncio.timeout(SECONDS):
        while True:
            text = Path(f"/proc/{pid}/status").read_text()
            caught = next(line for line in text.splitlines() if line.startswith("SigCgt"))
            if int(caught.split()[1], 16) & wanted == wanted:
                return
            await asyncio.sleep(0.01)
