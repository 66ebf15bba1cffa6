"""The state of one room in Daily's signalling: its participants, and the answer to each frame. Pure.

The frames are those that complete a join of the unmodified daily-python (docs/daily.md, "The frames of a
join"). A frame is sent as the text of a JSON object, and received as text or bytes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]

# How far a join gets: "silent" answers nothing; "acknowledged" leaves `join-as-new-peer` without an
# answer, so the join fails; "routed" leaves `create-transport` without one, so the client is in state
# joined first and is removed later; "joined" answers everything.
Reach = Literal["silent", "acknowledged", "routed", "joined"]
_STEPS: dict[Reach, int] = {"silent": 0, "acknowledged": 1, "routed": 2, "joined": 3}

MAX_DEPTH = 100  # of a frame's JSON: Daily's client gives up at 128
MAX_NAME = 200  # characters of a participant's name
EVERYBODY = "*"

WORKER = "wss://sig.standin.wss.daily.co:443"  # the client requests it through its proxy
ICE: Json = {"iceServers": [{"urls": ["stun:127.0.0.1:3478"]}]}  # nothing listens there: no media is carried


class Malformed(ValueError):
    """Not a frame of Daily's signalling; its line is closed."""


class Line:
    """One client's WebSocket: its participant, once known, and how far its join has got."""

    __slots__ = ("id", "joined")

    def __init__(self) -> None:
        self.id = ""
        self.joined = False


class Frame(NamedTuple):
    """A frame for one client."""

    line: Line
    text: str


class Joined(NamedTuple):
    """A guest's join is complete. Reported once, however often the line is lost and restored."""

    id: str
    name: str


class Left(NamedTuple):
    id: str


class Said(NamedTuple):
    """An app message of a guest. ``to`` is everybody, or one participant's id."""

    sender: str
    to: str
    message: Any


Outcome = Frame | Joined | Left | Said


class Signalling:
    """The participants and lines of one room. ``session`` is a UUID, as the client ignores any other text.

    ``reach``: see Reach. ``muted``: nothing is answered or sent, but lines stay open.
    """

    def __init__(self, session: str, *, reach: Reach = "joined") -> None:
        self.session = session
        self.reach: Reach = reach
        self.muted = False
        self.lines: dict[str, Line] = {}  # by participant
        self._presences: dict[str, Json] = {}
        self._joined: set[str] = set()

    @property
    def participants(self) -> list[str]:
        return list(self._presences)

    @property
    def guests(self) -> list[str]:
        """Guests whose join was completed, with or without a line at the moment."""
        return list(self._joined)

    # -- what a client sends ----------------------------------------------------------------------------

    def receive(self, line: Line, data: str | bytes) -> list[Outcome]:
        """``take`` for a frame that is not parsed yet. Raises Malformed."""
        return self.take(line, read_frame(data))

    def take(self, line: Line, frame: Json) -> list[Outcome]:
        """Handle a frame. Raises Malformed. Unknown frames are ignored, as Daily ignores them."""
        if self.muted or self.reach == "silent":
            return []
        kind, given = frame.get("msgStr"), frame.get("msgData")
        if kind == "join-for-sig":
            return self._acknowledge(line, frame, given)
        if not line.id:
            raise Malformed("the first frame must be join-for-sig")
        if self.lines.get(line.id) is not line:
            return []  # the client already has another line
        if kind == "sig-ack":  # its heartbeat; without an answer it drops the line
            return [Frame(line, to_text({"msgStr": "sig-ack"}))]
        if kind == "join-as-new-peer" and self._reaches("routed"):
            return [Frame(line, reply(given, routerRtpCapabilities=ROUTER))]
        if kind == "create-transport" and self._reaches("joined"):
            return self._transport(line, given)
        if kind == "sig-msg":
            return self._relay(line, given)
        if kind == "sig-presence":
            return self._change(line, given)
        return []

    def lost(self, line: Line) -> bool:
        """Handle a closed WebSocket; returns whether its participant is now without a line."""
        if line.id and self.lines.get(line.id) is line:
            del self.lines[line.id]
            return True
        return False

    def gone(self, who: str) -> list[Outcome]:
        """Remove a participant that left, or did not return."""
        self.lines.pop(who, None)
        out: list[Outcome] = []
        if self._presences.pop(who, None) is not None:
            out += self._broadcast(presence(who, None))
        if who in self._joined:
            self._joined.discard(who)
            out.append(Left(who))
        return out

    # -- what the room says -----------------------------------------------------------------------------

    def come(self, who: str, **about: Any) -> list[Outcome]:
        """Add or change a participant without a line (the PAL); ``about``: ``name``, ``user_id``."""
        self._presences[who] = {"id": who, **about}
        return self._broadcast(presence(who, self._presences[who]))

    def say(self, message: Any, sender: str) -> list[Outcome]:
        """Send an app message from a participant without a line to everybody; any JSON value."""
        return self._broadcast(app_message(message, sender))

    def put(self, frame: Json) -> list[Outcome]:
        """Send any frame to every line."""
        return self._broadcast(frame)

    # -- joining ----------------------------------------------------------------------------------------

    def _acknowledge(self, line: Line, frame: Json, given: Any) -> list[Outcome]:
        who = frame.get("from")
        shown = given.get("presence") if isinstance(given, dict) else None
        if not isinstance(who, str) or not _is_uuid(who):
            raise Malformed("join-for-sig comes from a UUID")
        name = shown.get("name") if isinstance(shown, dict) else None
        name = name[:MAX_NAME] if isinstance(name, str) else ""
        if line.id and line.id != who:
            raise Malformed("one line has one participant")
        if who in self._presences and who not in self.lines and who not in self._joined:
            raise Malformed("this participant has no line")  # the PAL's id
        line.id = who
        self.lines[who] = line
        others = [one for other, one in self._presences.items() if other != who]
        self._presences[who] = {"id": who, "name": name}
        out: list[Outcome] = [Frame(line, to_text(join_ack(self.session, others)))]
        return out + self._broadcast(presence(who, self._presences[who]), but=who)

    def _transport(self, line: Line, given: Any) -> list[Outcome]:
        out: list[Outcome] = [Frame(line, reply(given, transportOptions=transport()))]
        if isinstance(given, dict) and given.get("direction") == "recv":  # the last step of a join
            line.joined = True
            if line.id not in self._joined:
                self._joined.add(line.id)
                out.append(Joined(line.id, self._presences[line.id].get("name", "")))
        return out

    def _reaches(self, step: Reach) -> bool:
        return _STEPS[self.reach] >= _STEPS[step]

    # -- afterwards -------------------------------------------------------------------------------------

    def _relay(self, line: Line, given: Any) -> list[Outcome]:
        if not isinstance(given, dict) or given.get("tag") != "x-egassem":
            return []
        to, message = given.get("envelopeTo", EVERYBODY), given.get("fields")
        if not isinstance(to, str):
            raise Malformed("envelopeTo is a text")
        frame = app_message(message, line.id)
        if to == EVERYBODY:
            out = self._broadcast(frame, but=line.id)
        else:
            out = [Frame(self.lines[to], to_text(frame))] if to in self.lines else []
        return [*out, Said(line.id, to, message)]

    def _change(self, line: Line, given: Any) -> list[Outcome]:
        if given in (None, "sig-disconnect"):
            return self.gone(line.id)
        if isinstance(given, dict):
            name = given.get("name")
            if isinstance(name, str) and line.id in self._presences:
                self._presences[line.id]["name"] = name[:MAX_NAME]
                return self._broadcast(presence(line.id, self._presences[line.id]), but=line.id)
        return []

    def _broadcast(self, frame: Json, but: str = "") -> list[Outcome]:
        if self.muted:
            return []
        text = to_text(frame)
        return [Frame(line, text) for who, line in self.lines.items() if who != but]


# -- frames --------------------------------------------------------------------------------------------------


def read_frame(data: str | bytes) -> Json:
    """Raises Malformed for what is not a JSON object, or is nested too deeply."""
    try:
        frame = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(frame, dict):
        raise Malformed("not an object")
    if _deeper(frame, MAX_DEPTH):
        raise Malformed("nested too deeply")
    return frame


def to_text(frame: Json) -> str:
    return json.dumps(frame)


def join_ack(session: str, others: Iterable[Json] = ()) -> Json:
    """The answer to `join-for-sig`; the client needs a number as count, and a UUID as session id."""
    present = list(others)
    return {
        "msgStr": "sig-ack",
        "fullParticipantsCount": 1 + len(present),
        "mtgSession": {"id": session},
        "topology": "sfu",
        "sigAuthz": "a.b.c",
        "presences": present,
    }


def reply(asked: Any, **fields: Any) -> str:
    """The answer to a request of the media set-up. Raises Malformed without its ``_sendTs``."""
    if not isinstance(asked, dict) or "_sendTs" not in asked:
        raise Malformed("a request carries _sendTs")
    return to_text({"tag": "soup", "msgData": {"_kTs": asked["_sendTs"], **fields}})


def app_message(message: Any, sender: str) -> Json:
    """The frame of an app message with any JSON value; ``sender`` is a UUID."""
    return {"msgStr": "sig-msg", "tag": "x-egassem", "from": sender, "to": EVERYBODY, "msgData": message}


def presence(who: str, about: Json | None) -> Json:
    """The frame for a participant that comes or changes; with ``about`` None, that leaves."""
    return {"msgStr": "sig-presence", "from": who, "msgData": about}


def room_deleted() -> Json:
    return {"msgStr": "room-deleted"}


def room_found(name: str) -> Json:
    """The minimal answer to the lookup of a room that the client accepts."""
    return {
        "sigAuthz": "a.b.c",
        "roomName": name,
        "domainProps": {"api_plan_id": "x"},
        "roomProps": {},
        "joinProps": {},
        "permissions": {"hasPresence": True},
        "worker": {"workerId": "w", "wssUri": f"{WORKER}/{name}"},  # the client keeps the path
        "iceConfig": ICE,
    }


def transport() -> Json:
    """The parameters of a WebRTC transport for the client; nothing listens at its other end."""
    fingerprint = {"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}
    secret = {"usernameFragment": "localroom", "password": "localroomlocalroomlocalroom00"}
    return {
        "id": str(uuid.uuid4()),
        "iceParameters": {**secret, "iceLite": True},
        "iceCandidates": [],
        "dtlsParameters": {"role": "auto", "fingerprints": [fingerprint]},
    }


# One audio and one video codec, as any mediasoup router offers them.
ROUTER: Json = {
    "codecs": [
        {
            "kind": "audio",
            "mimeType": "audio/opus",
            "clockRate": 48000,
            "channels": 2,
            "preferredPayloadType": 100,
            "parameters": {},
            "rtcpFeedback": [],
        },
        {
            "kind": "video",
            "mimeType": "video/VP8",
            "clockRate": 90000,
            "preferredPayloadType": 101,
            "parameters": {},
            "rtcpFeedback": [{"type": "nack", "parameter": ""}],
        },
    ],
    "headerExtensions": [],
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _deeper(value: Any, depth: int) -> bool:
    """Whether a value is nested more than ``depth`` deep."""
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
