"""Daily's module, loaded and started once in a process. Only this file imports it, and late."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Protocol

from tavus_cli.errors import CannotJoin
from tavus_cli.rooms.daily.environment import silent_log

_starting = threading.Lock()
_started: list[Any] = []  # the Daily classes init() was called on: a second call aborts the process


class Listener(Protocol):
    """The callbacks for a client's events, called on Daily's thread."""

    def on_message(self, message: Any, sender: Any) -> None: ...

    def on_participant(self, raw: Any) -> None: ...

    def on_participant_left(self, raw: Any) -> None: ...

    def on_state(self, state: Any) -> None: ...

    def on_error(self, text: Any) -> None: ...

    def on_network(self, status: Any) -> None: ...


def client_version() -> str:
    """The version of daily-python, once it is loaded and started. Raises CannotJoin if that fails."""
    load()
    from importlib.metadata import version

    with contextlib.suppress(ImportError):  # without its metadata
        return version("daily-python")
    return "of unknown version"


def load() -> Any:
    """The module, started once in a process. Raises CannotJoin if it cannot be loaded."""
    try:
        import daily
    except ImportError as error:
        raise CannotJoin(
            f"Daily's client could not be loaded ({error}): pip install daily-python; it exists for "
            "Linux with glibc, macOS 13 and later, and Windows"
        ) from None
    with _starting:
        if not any(one is daily.Daily for one in _started):
            with silent_log():
                daily.Daily.init(log_level=daily.LogLevel.Off)
            _started.append(daily.Daily)
    return daily


def handler(daily: Any, room: Listener) -> Any:
    class Handler(daily.EventHandler):  # type: ignore[misc]  # the module has no types
        def on_app_message(self, message: Any, sender: Any) -> None:
            room.on_message(message, sender)

        def on_participant_joined(self, participant: Any) -> None:
            room.on_participant(participant)

        def on_participant_updated(self, participant: Any) -> None:
            room.on_participant(participant)

        def on_participant_left(self, participant: Any, reason: Any) -> None:
            room.on_participant_left(participant)

        def on_call_state_updated(self, state: Any) -> None:
            room.on_state(state)

        def on_error(self, message: Any) -> None:
            room.on_error(message)

        def on_network_connection_status_updated(self, status: Any) -> None:
            room.on_network(status)

    return Handler()
