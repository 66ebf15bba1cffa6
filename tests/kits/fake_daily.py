"""A fake module ``daily``, for what happens after "joined" and is hard to cause with a real room.

It follows docs/daily.md, traps included: one foreign thread makes all callbacks and completions, some of
which never come; a failing call is also reported by ``on_error``; exceptions in callbacks go to
``sys.unraisablehook``; messages arrive before the join is done. Where the real one aborts or freezes the
process, this one raises ``Trap``. ``test_fake_and_real.py`` compares its signatures with the real ones. A
real ejection was never observed; here it is an error text, then "left".

In a test::

    fake = install(monkeypatch)                      # or install(monkeypatch, Scenario(...))
    ... DailyRoom("https://x.daily.co/r") ...
    fake.say({"any": "JSON"})                        # from the PAL, on the foreign thread

In a child process: ``environment(Scenario(...))`` puts ``tests/kits/fake_site`` on its PYTHONPATH, where
``daily.py`` is this; the scenario goes along as JSON in ``FAKE_DAILY``.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import types
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

PAL = "11111111-1111-4111-8111-111111111111"
GUEST = "22222222-2222-4222-8222-222222222222"
LOCAL = "99999999-9999-4999-8999-999999999999"
NOT_OPEN = "AppMessage(Signalling(ChannelNotOpen))"

Json = Any
Completion = Callable[..., object] | None


class Trap(AssertionError):
    """The real client would abort, freeze or hang the process here."""


def someone(who: str = PAL, name: str = "", user_id: str = "", local: bool = False) -> dict[str, Any]:
    """A participant as Daily gives it; empty names are left out, as there."""
    info: dict[str, Any] = {"isLocal": local, "isOwner": False, "joinedAt": 0}
    info |= {"userName": name} if name else {}
    info |= {"userId": user_id} if user_id else {}
    return {"id": who, "info": info, "media": {"microphone": {"state": "off", "subscribed": "unsubscribed"}}}


@dataclass
class Scenario:
    """How the room behaves. "never" is a completion that does not come; other words are error texts.

    ``steps`` run after the join, each waiting ``after`` seconds: ``{"after": 0.1, "say": JSON, "from":
    id}``, ``{"come": {participant}}``, ``{"go": id}``, ``{"flood": count}``, ``{"error": text}``,
    ``{"network": "interrupted"}``, ``{"end": error text}``. ``answers``: what the PAL says to a sent
    message, by its event_type. ``log``: a file for one JSON line per call, and one once it has joined.
    """

    join: str = "ok"  # also "state only": joined, but the completion is lost
    send: str = "ok"
    leave: str = "ok"
    release: str = "ok"
    settings: str = "ok"
    early: list[Json] = field(default_factory=list)  # messages of the PAL before "joined"
    people: list[dict[str, Any]] = field(
        default_factory=lambda: [someone(PAL, "Charlie", "tavus-replica-r1")]
    )
    steps: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, list[Json]] = field(default_factory=dict)
    log: str | None = None


class FakeDaily:
    """The room's side: what the room does, and which calls were made. ``module`` is imported as ``daily``."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = scenario or Scenario()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.clients: list[Any] = []
        self.started = False
        self.module = _module(self)

    def called(self, name: str, **arguments: Any) -> None:
        self.calls.append((name, arguments))
        self.log(name, **arguments)

    def log(self, name: str, **arguments: Any) -> None:
        if self.scenario.log:
            with open(self.scenario.log, "a", encoding="utf-8") as log:
                log.write(json.dumps([name, arguments], default=str) + "\n")

    @property
    def sent(self) -> list[Any]:
        return [arguments["message"] for name, arguments in self.calls if name == "send_app_message"]

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    # -- what the room does; all of it on the client's thread, in this order ---------------------------

    def say(self, message: Json, sender: str = PAL) -> None:
        self._event("on_app_message", message, sender)

    def come(self, participant: dict[str, Any]) -> None:
        self._event("on_participant_joined", participant)

    def change(self, participant: dict[str, Any]) -> None:
        self._event("on_participant_updated", participant)

    def go(self, who: str = PAL, reason: str = "leftCall") -> None:
        self._event("on_participant_left", someone(who), reason)

    def error(self, text: str) -> None:
        self._event("on_error", text)

    def network(self, event: str, connection: str = "signalling") -> None:
        status = {"connection": connection, "event": event}
        self._event("on_network_connection_status_updated", status)

    def complete(self, error: str | None = None) -> None:
        """Complete a send that was left without completion (``send="never"``)."""
        client = self.clients[-1]
        client.native.post(lambda: client.lost.popleft()(error))

    def end(self, text: str = "") -> None:
        """The call ends without our asking: an error, where there is a text, and the states."""
        if text:
            self.error(text)
        self._event("on_call_state_updated", "leaving")
        self._event("on_call_state_updated", "left")

    def settle(self, timeout: float = 10.0) -> None:
        """Return when the client's thread has done all of the above."""
        done = threading.Event()
        self.clients[-1].native.post(done.set)
        assert done.wait(timeout), "the client's thread is stuck"

    def _event(self, name: str, *arguments: Any) -> None:
        self.clients[-1].native.event(name, *arguments)

    def play(self) -> None:
        """Run the scenario's steps, on the room's thread."""
        for step in self.scenario.steps:
            time.sleep(step.get("after", 0.0))
            if "say" in step:
                self.say(step["say"], step.get("from", PAL))
            if "come" in step:
                self.come(step["come"])
            if "go" in step:
                self.go(step["go"])
            for number in range(step.get("flood", 0)):
                self.say({"n": number})
            if "error" in step:
                self.error(step["error"])
            if "network" in step:
                self.network(step["network"])
            if "end" in step:
                self.end(step["end"])


class Native:
    """The one foreign thread of a client, which runs posted calls one after another."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler
        self._todo: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="fake-daily", daemon=True)
        self.thread.start()

    def post(self, call: Callable[[], object]) -> None:
        self._todo.put(call)

    def event(self, name: str, *arguments: Any) -> None:
        self.post(lambda: getattr(self.handler, name)(*arguments) if self.handler else None)

    def stop(self) -> None:
        self._todo.put(None)
        self.thread.join(10)

    def _run(self) -> None:
        while (call := self._todo.get()) is not None:
            try:
                call()
            except Exception as error:
                sys.unraisablehook(
                    types.SimpleNamespace(
                        exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__,
                        err_msg=None, object=call,
                    )
                )  # fmt: skip


LogLevel = Enum("LogLevel", ["Off", "Error", "Warn", "Info", "Debug", "Trace"], start=0)


class EventHandler:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def on_app_message(self, message: Any, sender: Any) -> None: ...
    def on_call_state_updated(self, state: Any) -> None: ...
    def on_error(self, message: Any) -> None: ...
    def on_network_connection_status_updated(self, status: Any) -> None: ...
    def on_participant_joined(self, participant: Any) -> None: ...
    def on_participant_left(self, participant: Any, reason: Any) -> None: ...
    def on_participant_updated(self, participant: Any) -> None: ...


def _daily_class(fake: FakeDaily) -> type:
    class Daily:
        @staticmethod
        def init(worker_threads: int = 2, log_level: Any = LogLevel.Off) -> None:
            fake.called("init", rust_log=os.environ.get("RUST_LOG"))
            if fake.started:
                raise Trap("init() twice aborts the process")
            fake.started = True

        @staticmethod
        def deinit() -> None:
            raise Trap("deinit() freezes the process")

    return Daily


class CallClientBase:
    """``CallClient`` of one fake; ``fake`` is set by ``_module``."""

    fake: FakeDaily

    def __init__(self, event_handler: Any = None) -> None:
        if not self.fake.started:
            raise Trap("a client before init() aborts the process")
        if event_handler is not None and not isinstance(event_handler, EventHandler):
            raise TypeError("event_handler must be a subclass of EventHandler")
        self.native = Native(event_handler)
        self.state = "initialized"
        self.released = False
        self.lost: deque[Any] = deque()  # completions that did not come
        self._idle = threading.Event()  # no join under way
        self._idle.set()
        self.fake.clients.append(self)

    def set_proxy_url(self, proxy_url: Any = None, completion: Completion = None) -> None:
        self._call("set_proxy_url", completion, proxy_url=proxy_url, outcome=self.fake.scenario.settings)

    def set_user_name(self, user_name: Any) -> None:
        self._called("set_user_name", user_name=user_name)

    def update_subscription_profiles(self, profile_settings: Any, completion: Completion = None) -> None:
        self._call(
            "update_subscription_profiles",
            completion,
            profile_settings=profile_settings,
            outcome=self.fake.scenario.settings,
        )

    def join(
        self,
        meeting_url: Any,
        meeting_token: Any = None,
        client_settings: Any = None,
        completion: Completion = None,
    ) -> None:
        self._called("join", url=meeting_url, token=meeting_token, settings=client_settings)
        self._idle.clear()
        self.join_completion = completion
        self.native.post(lambda: self._join(completion))

    def leave(self, completion: Completion = None) -> None:
        self._called("leave")
        if not self._idle.is_set() or self.fake.scenario.leave == "never":
            return  # its completion never comes
        self.native.post(lambda: self._leave(completion))

    def release(self) -> None:
        self._called("release")
        if threading.current_thread() is self.native.thread:
            raise Trap("release() in a callback never returns")
        if self.fake.scenario.release == "never":
            threading.Event().wait()
        self._idle.wait()  # as the real one does, until everything in progress has ended
        self.released = True
        self.native.stop()

    def send_app_message(
        self, message: Any, participant_id: Any = None, completion: Completion = None
    ) -> None:
        if message is None:
            raise ValueError("None is not a message")
        if participant_id is not None:
            uuid.UUID(participant_id)  # raises ValueError
        text = json.dumps(message)
        outcome = self.fake.scenario.send if self.state == "joined" else NOT_OPEN
        self._call("send_app_message", completion, message=json.loads(text), outcome=outcome)
        kind = message.get("event_type") if isinstance(message, dict) else None
        for answer in self.fake.scenario.answers.get(str(kind), []) if outcome == "ok" else []:
            self.fake.say(answer)

    def participants(self) -> dict[str, Any]:
        if self.state != "joined":
            raise Trap("participants() while a join is pending freezes the interpreter")
        return self._people()

    # -- behind ----------------------------------------------------------------------------------------

    def _called(self, name: str, **arguments: Any) -> None:
        self.fake.called(name, **arguments)
        if self.released:
            raise RuntimeError("this object has already been released")

    def _call(self, name: str, completion: Completion, *, outcome: str, **arguments: Any) -> None:
        """A call whose completion gets an error or None; a failure is also reported by on_error."""
        self._called(name, **arguments)
        if outcome == "never":
            self.lost.append(completion)
            return
        error = None if outcome == "ok" else outcome
        if completion is not None:
            self.native.post(lambda: completion(error))
        if error is not None:
            parts = name.split("_")
            method = parts[0] + "".join(part.title() for part in parts[1:])
            self.native.event("on_error", f"Error handling {method}: {error}")

    def _join(self, completion: Completion) -> None:
        """On the client's thread, so events go straight to the handler."""
        scenario, handler = self.fake.scenario, self.native.handler
        handler.on_call_state_updated("joining")
        handler.on_participant_updated(someone(LOCAL, "tavus-console", local=True))
        for message in scenario.early:
            handler.on_app_message(message, PAL)
        if scenario.join == "never":
            return
        self._idle.set()
        data = error = None
        if scenario.join in ("ok", "state only"):
            self.state = "joined"
            for one in scenario.people:
                handler.on_participant_joined(one)
            handler.on_call_state_updated("joined")
            data = {"meetingSession": {"id": str(uuid.uuid4())}, "participants": self._people()}
            threading.Thread(target=self.fake.play, name="fake-room", daemon=True).start()
        else:
            error = scenario.join
            handler.on_error(error)
            handler.on_call_state_updated("left")
            self.native.event("on_error", f"Error handling join: {error}")
        if completion is not None and scenario.join != "state only":
            completion(data, error)
        if self.state == "joined":
            self.fake.log("joined")

    def _leave(self, completion: Completion) -> None:
        self.state = "left"
        self.native.handler.on_call_state_updated("leaving")
        self.native.handler.on_call_state_updated("left")
        if completion is not None:
            completion(None)

    def _people(self) -> dict[str, Any]:
        local = someone(LOCAL, "tavus-console", local=True)
        return {"local": local} | {one["id"]: one for one in self.fake.scenario.people}


def _module(fake: FakeDaily) -> types.ModuleType:
    module = types.ModuleType("daily")
    content: dict[str, Any] = {
        "Daily": _daily_class(fake),
        "CallClient": type("CallClient", (CallClientBase,), {"fake": fake}),
        "EventHandler": EventHandler,
        "LogLevel": LogLevel,
        "fake": fake,
    }
    vars(module).update(content)
    return module


def install(monkeypatch: Any, scenario: Scenario | None = None) -> FakeDaily:
    """Until the end of the test ``import daily`` gives a fresh fake. ``monkeypatch``: pytest's."""
    fake = FakeDaily(scenario)
    monkeypatch.setitem(sys.modules, "daily", fake.module)
    return fake


def environment(scenario: Scenario | None = None) -> dict[str, str]:
    """For a child process: a copy of ours in which ``import daily`` gives a fake with this scenario."""
    kits = Path(__file__).parent
    path = [str(kits / "fake_site"), str(kits.parent.parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "FAKE_DAILY": json.dumps(asdict(scenario or Scenario())),
    }


def from_environment() -> types.ModuleType:
    """The module that ``tests/kits/fake_site/daily.py`` is replaced by."""
    return FakeDaily(Scenario(**json.loads(os.environ.get("FAKE_DAILY") or "{}"))).module
