"""The participants of a Daily room, and which of them is the PAL. Pure.

Built only from events, because asking the client freezes the interpreter while a join is pending
(docs/daily.md). Each method returns what changed, in order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.rooms.room import Participant

Change = tuple[Participant, Literal["joined", "updated", "left"]]

PAL_USER_ID = "tavus-replica"  # part of the PAL's user id (section 5.1)
# Events that only a PAL sends (section 3.10): ready and heartbeat.
PAL_SIGNS = frozenset(kind.type for kind in CATALOGUE.values() if kind.family in ("ready", "present"))


class Roster:
    """At most one participant is the PAL: the one with the best of these signs, the latest of equals.

    1. a user id that holds ``tavus-replica``; 2. having sent a ready or heartbeat event; 3. being the only
    other participant, unless a better sign was ever seen here; then whoever stays after the PAL has left is a
    guest. Participants with our own name do not count for 3: another console has it, and so have we
    ourselves where Daily still lists us from before a break.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()  # Daily's thread, and the loop after a break of the line
        self._all: dict[str, Participant] = {}
        self._signed: list[str] = []  # senders of a sign, the latest last
        self._seen_better = False
        self.pal: Participant | None = None
        self._view: Mapping[str, Participant] = MappingProxyType({})

    @property
    def participants(self) -> Mapping[str, Participant]:
        """The participants now, as a value that never changes, so any thread may read it."""
        return self._view

    def seen(self, participant: Participant) -> list[Change]:
        """Take a participant that came or changed; its ``pal`` is ignored."""
        with self._changing:
            return self._seen(participant)

    def _seen(self, participant: Participant) -> list[Change]:
        known = self._all.get(participant.id)
        mine = participant._replace(pal=known.pal if known else False)
        if mine == known:
            return []
        self._all[mine.id] = mine
        return self._settle({mine.id: "updated" if known else "joined"})

    def gone(self, participant_id: str) -> list[Change]:
        """Remove a participant; no change if it was unknown."""
        with self._changing:
            last = self._all.pop(participant_id, None)
            if last is None:
                return []
            return [(last, "left"), *self._settle({})]

    def signed(self, sender: str) -> list[Change]:
        """Note that ``sender`` sent an event that only a PAL sends; its participant may not be known yet."""
        with self._changing:
            if self._signed and self._signed[-1] == sender:
                return []  # heartbeats come every second
            if sender in self._signed:
                self._signed.remove(sender)
            self._signed.append(sender)
            return self._settle({})

    def _settle(self, changes: dict[str, Literal["joined", "updated"]]) -> list[Change]:
        """Mark the PAL again. ``changes``, by id, are reported in any case."""
        pal = self._pal()
        for one in list(self._all.values()):
            if one.pal != (one.id == pal):
                self._all[one.id] = one._replace(pal=not one.pal)
                changes.setdefault(one.id, "updated")
        self._view = MappingProxyType(dict(self._all))
        self.pal = self._all[pal] if pal is not None else None
        return [(self._all[one], change) for one, change in changes.items()]

    def _pal(self) -> str | None:
        others = {one.id: one for one in self._all.values() if not one.local}
        named = [one.id for one in others.values() if PAL_USER_ID in one.user_id]
        signed = [one for one in self._signed if one in others]
        if named or signed:
            self._seen_better = True
            return (named or signed)[-1]
        ours = {one.name for one in self._all.values() if one.local and one.name}
        possible = [one.id for one in others.values() if one.name not in ours]
        if len(possible) == 1 and not self._seen_better:
            return possible[0]
        return None


def may_have_left(people: Iterable[Participant], watched: Participant | None) -> str:
    """A text for a note after a break of the line, naming listed participants that may have left; "" if there
    are none. Departures of ``watched`` are noticed by other means.
    """
    gone = [
        one.name or one.id[:8] for one in people if not one.local and (not watched or one.id != watched.id)
    ]
    return f"; may have left meanwhile: {', '.join(gone)}" if gone else ""


def read_participant(raw: Any) -> Participant | None:
    """Daily's ``{"id", "info": {"isLocal", "userName"?, "userId"?, …}, …}``; None for anything else."""
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        return None
    info = raw.get("info")
    info = info if isinstance(info, dict) else {}
    return Participant(
        raw["id"],
        name=_text(info.get("userName")),
        user_id=_text(info.get("userId")),
        local=info.get("isLocal") is True,
    )


def is_pal_sign(message: Any) -> bool:
    """Whether only a PAL sends such a message. It may also be JSON in a string (section 1.2)."""
    if type(message) is str and message.startswith("{") and '"system.' in message:
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return False
    if type(message) is not dict:
        return False
    name = message.get("event_type")
    return type(name) is str and name in PAL_SIGNS


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
