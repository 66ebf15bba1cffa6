"""Resident sessions: one connection that many commands share, but no other user can use."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tavus_cli.commands.send import SendOptions, send
from tavus_cli.commands.session import SERVER
from tavus_cli.errors import CannotJoin, ConsoleError
from tavus_cli.protocol.interactions import Interaction, interrupt
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.process import claim
from tavus_cli.resident.room import NotAnswering, ResidentRoom, find
from tavus_cli.resident.server import Server, ServerOptions
from tavus_cli.resident.sessions import sessions, stop
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ, process
from tests.kits.resident_kit import connected, listed, start
from tests.kits.room_kit import until

pytestmark = [
    pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here"),
    pytest.mark.usefixtures("sessions"),
]


@pytest.fixture
def folder(sessions: Path) -> Path:
    return sessions


# -- start, list, stop -------------------------------------------------------------------------------------


def test_a_session_is_started_listed_used_and_stopped(folder: Path) -> None:
    assert process("session", "start", "sim") == Result(0, "sim\n", "")
    head, row = console("session", "list").lines
    assert head.split() == ["id", "target", "PAL", "turn", "minutes", "billed", "clients"]
    assert row.split()[:2] == ["sim", "sim"]
    assert console("send", "sim", "respond", "How much is it?", "--wait", "reply").out.startswith("A ticket")
    again = console("send", "echo", "Once more.", "--wait", "reply")
    assert again == Result(0, "Once more.\n", "")
    script = console("run", "sim", "-", stdin="hello there\n/expect reply as a\n/print $a.turn\n")
    assert script == Result(0, "2\n", "")
    assert console("session", "stop") == Result(0, "", "")
    assert listed() == []
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_only_we_can_access_the_folder_and_the_socket(folder: Path) -> None:
    start()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "sim.sock").stat().st_mode & 0o777 == 0o600


def test_two_starts_give_one_session() -> None:
    first = start()
    result = process("session", "start", "sim", "--json")
    assert json.loads(result.out)["pid"] == first["pid"]
    assert "is already running" in result.err
    assert process("session", "start", "sim", "--record", "/dev/null").status == 2


def test_starts_at_the_same_time_give_one_session() -> None:
    starts = [
        subprocess.Popen(
            [CONSOLE, "session", "start", "sim", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ(),
        )
        for _ in range(4)
    ]
    outs = [one.communicate(timeout=SECONDS)[0] for one in starts]
    assert [one.returncode for one in starts] == [0] * 4
    assert len({json.loads(out)["pid"] for out in outs}) == 1


def test_a_failed_join_fails_the_command() -> None:
    assert process("session", "start", "sim:/nowhere.toml").status == 2
    assert "runs in real time" in process("session", "start", "sim:?speed=max").err
    assert process("session", "start", "nonsense").status == 2
    result = process("session", "start", "sim", "--record", "/nowhere/x.jsonl", "--json")
    assert (result.status, json.loads(result.err)["error"]["reason"]) == (2, "usage")
    assert listed() == []
    assert console("session", "stop").status == 2
    assert console("session", "stop", "sim").err == "tavus-console: no session sim is running\n"


def test_a_session_whose_starter_is_gone_leaves_at_once(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    options = {"name": "x", "join_timeout": 9.0, "daily_proxy": None, "conversation_id": None}
    config = {"id": "sim", "target": "sim", "record": None, "idle": None, "queue": 9, "options": options}
    with subprocess.Popen(
        [sys.executable, "-m", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ()
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdout.close()
        server.stdin.write(json.dumps(config).encode() + b"\n")
        server.stdin.close()
        assert server.wait(timeout=SECONDS) == 0
    assert not (folder / "sim.sock").exists()


def test_kill_leaves_nothing_that_stops_the_next_start(folder: Path) -> None:
    first = start()
    with socket.socket(socket.AF_UNIX) as watching:
        watching.connect(os.fspath(folder / "sim.sock"))
        os.kill(first["pid"], signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            while watching.recv(65_536):
                pass
    assert (folder / "sim.sock").exists()
    assert find("sim") is None
    assert start()["pid"] != first["pid"]
    os.kill(listed()[0]["pid"], signal.SIGTERM)
    until_gone()


def test_after_a_kill_clients_do_not_claim_that_the_conversation_is_over() -> None:
    pid = start()["pid"]

    async def check() -> str:
        async with Session(connected()) as session:
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(SECONDS):
                await session.ended.wait()
            with pytest.raises(ConsoleError) as caught:
                await session.send(interrupt())
            return str(caught.value)

    assert (
        asyncio.run(check())
        == "not sent: cut off: the resident session is gone; the conversation may continue"
    )


def until_gone() -> None:
    """Wait until its process has ended."""
    stop("sim")


def test_without_clients_it_leaves_by_itself(folder: Path) -> None:
    start("sim", "--idle", "10ms")
    room = find("sim", timeout=SECONDS)
    if room is not None:
        room._connection.settimeout(SECONDS)
        while room._connection.recv(65_536):
            pass
        room.close()
    assert listed() == []


def test_the_end_of_the_room_ends_the_session_and_its_clients() -> None:
    name = start("sim:?leave=4")["id"]
    result = console("tail", "sim:?leave=4", "--only", "shutdown", "--count", "1")
    assert result.status == 6
    while runtime.is_held(name):  # by itself, a moment after its clients
        time.sleep(runtime.AGAIN)
    assert listed() == []


def test_a_recording_has_what_all_clients_sent(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    start("sim", "--record", str(record))
    console("send", "sim", "context", "append", "one")
    console("send", "sim", "context", "append", "two")
    console("session", "stop")
    records = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    texts = [one["message"]["properties"]["context"] for one in records if one["dir"] == "out"]
    assert texts == ["one", "two"]
    assert "joined" in console("replay", str(record)).out
    assert record.stat().st_mode & 0o777 == 0o600


def test_a_recording_can_be_made_without_words(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    start("sim", "--record", str(record), "--redact")
    console("send", "sim", "context", "append", "Dana is here")
    console("session", "stop")
    text = record.read_text("utf-8")
    assert '"context"' in text
    assert "Dana" not in text
    assert console("session", "start", "sim", "--redact").err == (
        "tavus-console: --redact goes with --record\n"
    )


# -- many clients ------------------------------------------------------------------------------------------


class Lines(threading.Thread):
    """A client that reads as fast as it can, and keeps the numbers of its events."""

    def __init__(self, room: ResidentRoom) -> None:
        super().__init__(daemon=True)
        self.seqs: list[int] = []
        self.after: dict[int, int] = {}  # how many lines came from a number on
        self.lines = 0
        self.sent: list[str] = []
        self._room = room
        room._connection.settimeout(SECONDS)
        room._connection.sendall(b'{"do": "join"}\n')
        self.start()

    def run(self) -> None:
        with self._room._connection, self._room._connection.makefile("rb") as file:
            for line in file:
                told = json.loads(line)
                if "in" in told and "seq" in told["in"]:
                    self.seqs.append(told["in"]["seq"])
                    self.after[told["in"]["seq"]] = self.lines
                elif "out" in told:
                    self.sent.append(told["out"]["properties"]["context"])
                self.lines += "snapshot" not in told
                if "over" in told:
                    return


STOPPED = """
import json, sys
from tavus_cli.resident.room import find
room = find("sim")
connection = room._connection
connection.settimeout(120)
connection.sendall(b'{"do": "join"}\\n')
print("joined", flush=True)
lines = missed = 0
numbers = []
for line in connection.makefile("rb"):
    told = json.loads(line)
    numbers += [told["in"]["seq"]] if "seq" in told.get("in", ()) else []
    lines += bool(numbers) and "missed" not in told
    missed += told.get("missed", 0)
    if "over" in told:
        break
print(lines, missed, numbers[0], numbers == sorted(numbers), flush=True)
"""


@pytest.mark.slow
def test_seven_get_every_event_in_order_and_the_stopped_one_learns_what_it_missed(tmp_path: Path) -> None:
    script = tmp_path / "load.toml"
    script.write_text('[timing]\nheartbeat = 60\n[[at]]\nafter = 9\nshutdown = "done"\n')
    target = f"sim:{script}?rate=5000&events=26000"
    about = start(target, "--queue", "8000")
    name = about["id"]
    clients = [Lines(connected(name)) for _ in range(7)]
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED.replace('"sim"', f'"{name}"')],
        stdout=subprocess.PIPE,
        text=True,
        env=environ(),
    ) as slow:
        assert slow.stdout is not None
        assert slow.stdout.readline() == "joined\n"
        slow.send_signal(signal.SIGSTOP)
        while min(len(client.seqs) for client in clients) < 20_000 and clients[0].is_alive():
            clients[0].join(0.05)
        slow.send_signal(signal.SIGCONT)
        for client in clients:
            client.join(SECONDS)
        lines, missed, start_seq, in_order = slow.stdout.readline().split()
    counts = [len(client.seqs) for client in clients]
    for client in clients:
        first = client.seqs[0]
        assert client.seqs == list(range(first, first + len(client.seqs)))
        assert client.seqs[-1] == clients[0].seqs[-1]
    assert min(counts) >= 20_000
    assert int(missed) > 0
    assert in_order == "True"
    wanted = clients[0].lines - clients[0].after[int(start_seq)]
    assert int(lines) + int(missed) == wanted  # what it was told is exact


def test_a_thousand_sends_and_fifty_at_once_are_each_sent_once() -> None:
    """Each has its own connection, as ``send`` has."""
    start()
    watching = Lines(connected())

    async def one(text: str) -> None:
        assert await send(connected(), SendOptions(context(text), 60.0), Environment(environ={})) == 0

    async def all_of_them() -> None:
        for number in range(1_000):
            await one(f"a{number}")
        await asyncio.gather(*(one(f"b{number}") for number in range(50)))

    asyncio.run(all_of_them())
    console("session", "stop")
    watching.join(SECONDS)
    assert watching.sent[:1_000] == [f"a{number}" for number in range(1_000)]
    assert sorted(watching.sent[1_000:]) == sorted(f"b{number}" for number in range(50))


def context(text: str) -> Interaction:
    return Interaction("conversation.append_llm_context", {"context": text})


def test_commands_send_side_by_side() -> None:
    start()
    watching = Lines(connected())
    children = [
        subprocess.Popen([CONSOLE, "send", "sim", "context", "append", str(number)], env=environ())
        for number in range(8)
    ]
    assert [child.wait(timeout=SECONDS) for child in children] == [0] * 8
    console("session", "stop")
    watching.join(SECONDS)
    assert sorted(watching.sent) == sorted(map(str, range(8)))


# -- what clients do wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[]\n",
        b'{"do": "dance"}\n',
        b'{"do": "send", "message": 3}\n',
        b"\xff\xfe\n",
        b'{"do": "' + b"x" * 100_000_000,
    ],
    ids=["no JSON", "a list", "unknown", "no message", "no UTF-8", "100 MB"],
)
def test_an_invalid_request_disconnects_only_its_client(line: bytes) -> None:
    start()
    other, bad = connected(), connected()
    bad._connection.settimeout(SECONDS)
    try:
        bad._connection.sendall(line)
        said = b""
        while data := bad._connection.recv(65_536):
            said += data
        assert b'"message":"the resident session accepts no more from this client: it was sent ' in said
    except OSError:
        pass  # it closed while we still wrote
    bad.close()
    assert console("send", "sim", "echo", "Still here.", "--wait", "reply").out == "Still here.\n"
    other.close()


def test_after_leaving_nothing_is_sent() -> None:
    start()

    async def after_leaving() -> None:
        room = connected()
        async with Session(room) as session:
            pass
        with pytest.raises(ConsoleError):
            await session.send(context("late"))
        with pytest.raises(CannotJoin):
            await room.join()

    asyncio.run(after_leaving())


# -- a session that hangs ----------------------------------------------------------------------------------


def test_a_stopped_process_is_named_by_all_and_can_be_stopped() -> None:
    pid = start()["pid"]
    os.kill(pid, signal.SIGSTOP)
    says = "the session sim is running and not answering: tavus-console session stop sim"
    for arguments in (["tail", "sim"], ["send", "interrupt"], ["session", "start", "sim"]):
        assert console(*arguments) == Result(5, "", f"tavus-console: {says}\n")
    with pytest.raises(NotAnswering):
        find("sim")
    result = console("session", "list")
    assert result.lines[1].split("  ")[:2] == ["sim", "not answering"]
    assert result.err == "tavus-console: sim is not answering: tavus-console session stop sim\n"
    assert json.loads(console("session", "list", "--json").out) == {"id": "sim", "state": "not answering"}
    assert console("session", "stop") == Result(0, "", "")
    assert listed() == []
    assert not runtime.is_held("sim")


HANGS = """
import signal, sys, time
from tavus_cli.resident.process import claim
signal.signal(signal.SIGTERM, signal.SIG_IGN)
claimed = claim("sim")
sys.stdout.write("ready\\n"); sys.stdout.flush()
time.sleep(600)
"""


def test_a_stuck_session_is_killed_and_a_zombie_counts_as_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", HANGS], stdout=subprocess.PIPE, text=True, env=environ())
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert runtime.holder("sim") == child.pid
        assert console("session", "stop", "sim") == Result(0, "", "")
        assert not runtime.is_held("sim")  # though nobody has waited for it: it is a zombie
        assert child.wait(timeout=SECONDS) == -signal.SIGKILL
    finally:
        child.kill()
        child.communicate()


def test_a_session_with_a_full_queue_does_not_block_the_others() -> None:
    """Its socket accepts nothing, and its queue of connections is full."""
    child = subprocess.Popen(
        [sys.executable, "-c", HANGS.replace('"sim"', '"stuck"')],
        stdout=subprocess.PIPE,
        text=True,
        env=environ(),
    )
    waiting: list[socket.socket] = []
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        start()
        with contextlib.suppress(TimeoutError):
            while len(waiting) < 1000:
                one = runtime.connect(runtime.path_of("stuck"), 0.01)
                assert one is not None
                waiting.append(one)
        assert len(waiting) < 1000
        found = sessions()
        found.close()
        assert ([room.about["id"] for room in found.rooms], found.silent) == (["sim"], ["stuck"])
        assert runtime.holder("stuck") == child.pid
        assert stop("stuck") == []
        assert child.wait(timeout=SECONDS) == -signal.SIGKILL
    finally:
        for one in waiting:
            one.close()
        child.kill()
        child.communicate()


def test_only_the_holder_of_the_name_is_signalled(folder: Path) -> None:
    """If no process holds a leftover lock file, no process is signalled."""
    runtime.own_folder()
    (folder / "sim.lock").write_text(str(os.getpid()))
    assert runtime.holder("sim") is None
    runtime.signal_holder("sim", signal.SIGKILL)


# -- its recording -----------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_reported_by_start_list_clients_and_stop() -> None:
    says = "recording: /dev/full: No space left on device; the recording ends here"
    started = process("session", "start", "sim", "--record", "/dev/full")
    assert started == Result(0, "sim\n", f"tavus-console: {says}\n")
    shown = console("session", "list", "--json")
    assert json.loads(shown.out)["recording_failed"] == says.removeprefix("recording: ")
    assert shown.err == f"tavus-console: sim: {says}\n"
    assert f"tavus-console: {says}\n" in console("tail", "sim", "--count", "1").err
    assert console("session", "stop") == Result(1, "", f"tavus-console: sim: {says}\n")


# -- memory ------------------------------------------------------------------------------------------------


def test_a_client_that_has_gone_leaves_nothing_for_the_collector() -> None:
    """The collector rarely runs while a room is joined, so cycles would outlive thousands of clients."""
    left = asyncio.run(cycles_after(50))
    assert left == []


async def cycles_after(clients: int) -> list[str]:
    claimed = claim("sim")
    assert claimed is not None
    server = Server(open_simulated("sim"), ServerOptions("sim", None, 100))
    serving = asyncio.create_task(server.serve(claimed[0], io.StringIO()))
    try:
        await asyncio.to_thread(one_client, b"")  # objects that are created once
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        for number in range(clients):
            await asyncio.to_thread(one_client, (b"", b'{"do":"join"}\n', b"no JSON\n")[number % 3])
        await until(lambda: not server._tasks)
        gc.collect()
        return sorted(type(one).__name__ for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        await asyncio.to_thread(one_client, b'{"do":"stop"}\n')
        await serving
        os.close(claimed[1])


def one_client(line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(runtime.path_of("sim")))
        with connection.makefile("rb") as file:
            file.readline()
            file.readline()
            connection.sendall(line)
            if line:
                file.readline()


# -- its tools ---------------------------------------------------------------------------------------------


def test_a_call_that_the_session_answers_is_not_the_reply(tmp_path: Path) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text('[[tool]]\nname = "*"\noutput = {hours = "ten to eleven"}\n')
    assert start("sim", "--tools", str(tools))["tools"] is True
    result = console("send", "sim", "respond", "What are your opening hours?", "--wait", "reply")
    assert result.status == 0
    assert not result.out.startswith("tool_call")
    assert "ten to eleven" in result.out
