"""A minimal core for sending without waiting: it knows whether the PAL is there, and makes no entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.protocol.snapshot import Snapshot

if TYPE_CHECKING:
    from tavus_cli.protocol.events import Event


class Presence:
    """Replaces a ``Conversation`` that nobody reads, whose import would slow down every ``send``."""

    def __init__(self) -> None:
        self.pal_present = False
        self.status = self

    def take(self, events: Iterable[Event]) -> list[Any]:
        for event in events:
            family = event.kind.family
            if family == "shutdown":
                self.pal_present = False
            elif family in ("ready", "present") or (event.role == "pal" and family != "interaction"):
                self.pal_present = True
        return []

    def receive(self, message: Any, *_: Any) -> list[Any]:
        if self.pal_present and type(message) is dict and not _shuts_down(message):
            return []  # nothing to learn, so nothing to decode
        from tavus_cli.protocol.events import decode

        return self.take([decode(message)])

    def resume(self, snapshot: Snapshot) -> None:
        self.pal_present = snapshot.pal_present

    def pal_is(self, present: bool) -> None:
        self.pal_present = present

    def participant_is(self, *_: Any) -> None:
        pass

    def sent(self, *_: Any) -> list[Any]:
        return []

    def note(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def tick(self, *_: Any) -> list[Any]:
        return []

    def close(self) -> list[Any]:
        return []

    def wake_at(self) -> None:
        return None


def _shuts_down(message: dict[str, Any]) -> bool:
    name = message.get("event_type")
    if not isinstance(name, str):
        return False
    if (kind := CATALOGUE.get(name)) is None:
        from tavus_cli.protocol.kinds import kind_of

        kind = kind_of(name)
    return kind.family == "shutdown"
