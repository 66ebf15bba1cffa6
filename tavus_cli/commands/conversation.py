"""``conversation …``: requests to the API, and how the answers are shown.

Tables on a terminal, JSON in pipes and with ``--json``. Meeting tokens are left out of both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tavus_cli.api import conversations
from tavus_cli.api.checks import check_id
from tavus_cli.api.client import PERHAPS_CREATED, TavusApi
from tavus_cli.api.conversations import without_token
from tavus_cli.errors import ConsoleError, ExitStatus, UsageError, did_you_mean
from tavus_cli.language.patterns import Expression, TooSlow
from tavus_cli.protocol.wire import to_json
from tavus_cli.session.environment import PROGRAM, Environment, is_tty
from tavus_cli.views.safe import safe, safe_json
from tavus_cli.views.table import UNCUT, table

Json = dict[str, Any]
STATUSES = ("active", "ended")
NAMED = 10  # conversations named after a signal prevented their end
_MINUTE = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", re.ASCII)  # of an ISO 8601 time
COLUMNS = (
    ("conversation", ("conversation_id",)),
    ("status", ("status",)),
    ("PAL", ("persona_id", "pal_id")),
    ("face", ("replica_id", "face_id")),
    ("created", ("created_at",)),
    ("name", ("conversation_name",)),
)


@dataclass(slots=True)
class Shape:
    """How an answer is shown: ``query`` selects from it (JMESPath); ``json``: as JSON on a terminal too."""

    json: bool = False
    query: str | None = None

    def check(self) -> None:
        """Before the API is asked. Raises UsageError for an invalid expression."""
        if self.query is not None:
            _compiled(self.query)

    def show(self, value: Any, environment: Environment, table: Callable[[], None]) -> None:
        if self.query is not None:
            value = _picked(self.query, value)
            if isinstance(value, str) and not self.json:  # for $(…)
                _print(safe(value), environment)
                return
        elif not self.json and is_tty(environment.stdout):
            table()
            return
        _print(safe_json(to_json(value)), environment)


# -- commands ------------------------------------------------------------------------------------------


def create(
    fields: Json,
    body: str | None,
    base_url: str | None,
    shape: Shape,
    environment: Environment,
    *,
    show_token: bool = False,
) -> int:
    """Create a conversation from the JSON file ``body``, overridden by ``fields`` (names of the API)."""
    request = conversations.creation_from(fields, body, environment.stdin)
    shape.check()
    known: list[str] = []
    with conversations.connect(environment.environ, base_url) as api:
        try:
            created = conversations.create(api, request, environment.warn, known.append)
        except KeyboardInterrupt:
            if not known:
                environment.warn(f"stopped before the answer came; {PERHAPS_CREATED}")
            raise
    shown = created if show_token else without_token(created)
    url = safe(conversations.url_to_share(created, with_token=show_token))
    shape.show(shown, environment, lambda: _print(url, environment))
    return ExitStatus.DONE


def list_(
    status: str | None, limit: int | None, base_url: str | None, shape: Shape, environment: Environment
) -> int:
    shape.check()
    if status not in (None, *STATUSES):
        near = did_you_mean(status, STATUSES)
        raise UsageError(f"--status must be {' or '.join(STATUSES)}, not {status}{near}")
    with conversations.connect(environment.environ, base_url) as api:
        rows = [without_token(row) for row in islice(api.conversations(status), limit)]
    shape.show(rows, environment, lambda: _table(rows, environment))
    return ExitStatus.DONE


def get(
    conversation: str, base_url: str | None, shape: Shape, environment: Environment, *, verbose: bool
) -> int:
    shape.check()
    name = check_id(conversation)
    with conversations.connect(environment.environ, base_url) as api:
        found = without_token(api.get(name, verbose=verbose))
    shape.show(found, environment, lambda: _details(found, environment))
    return ExitStatus.DONE


def end(
    names: list[str],
    all_active: bool,
    base_url: str | None,
    shape: Shape,
    environment: Environment,
    *,
    yes: bool,
) -> int:
    """End conversations and report each; if one fails, the others are still ended."""
    shape.check()
    if bool(names) == all_active:
        raise UsageError("missing ID: give ids, or --all-active")
    names = [check_id(name) for name in names]
    with conversations.connect(environment.environ, base_url) as api:
        if all_active:
            rows = list(api.conversations("active"))
            names = [str(row.get("conversation_id")) for row in rows]
        if names and not yes:
            _confirm(names, all_active, environment)
        outcome, status = _end_each(api, names, environment)
    shape.show(outcome, environment, lambda: _outcome(outcome, environment))
    return status


def _end_each(api: TavusApi, names: list[str], environment: Environment) -> tuple[Json, int]:
    outcome: dict[str, list[str]] = {"ended": [], "over_before": [], "failed": []}
    status = int(ExitStatus.DONE)
    for number, name in enumerate(names):
        try:
            outcome["ended" if conversations.end(api, name) else "over_before"].append(name)
        except ConsoleError as error:
            if len(names) == 1:
                raise
            environment.warn(f"{name} has not ended: {error}")
            outcome["failed"].append(name)
            status = status or int(error.status)
        except KeyboardInterrupt:
            some = " ".join(names[number : number + NAMED])
            more = len(names) - number - NAMED
            and_more = f" and {more} more" if more > 0 else ""
            environment.warn(f"stopped: may not have ended: {PROGRAM} conversation end {some}{and_more}")
            raise
    return outcome, status


def _confirm(names: list[str], all_active: bool, environment: Environment) -> None:
    """Ask for confirmation on a terminal; elsewhere only named ids are ended without it."""
    if not is_tty(environment.stdin):
        if all_active:
            raise UsageError(f"this would end all {len(names)} active conversations: add --yes")
        return
    what = safe(names[0]) if len(names) == 1 else f"{len(names)} conversations ({safe(', '.join(names))})"
    environment.stderr.write(f"end {what} for everybody in it? [y/N] ")
    environment.stderr.flush()
    if environment.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConsoleError("nothing was ended")


# -- rows ----------------------------------------------------------------------------------------------


def _cell(row: Json, names: Iterable[str]) -> str:
    value = next((row[name] for name in names if row.get(name) not in (None, "")), "")
    if "created_at" in names and isinstance(value, str) and (shown := _MINUTE.match(value)):
        value = f"{shown[1]} {shown[2]}"
    return value if isinstance(value, str) else to_json(value)


def _table(rows: list[Json], environment: Environment) -> None:
    if not rows:
        _print("no conversations", environment)
        return
    cells = [("", [_cell(row, names) for _, names in COLUMNS]) for row in rows]
    columns = max(environment.columns, 60)
    for line in table([heading for heading, _ in COLUMNS], cells, environment.theme, columns, widest=UNCUT):
        _print(line, environment)  # only the last column, the name, shrinks: ids must stay whole to be copied


def _details(found: Json, environment: Environment) -> None:
    width = max((len(safe(name)) for name in found), default=0)
    for name, value in found.items():
        if name == "events" and isinstance(value, list):
            continue
        text = value if isinstance(value, str) else to_json(value)
        _print(f"{safe(name):<{width}}  {safe(text)}", environment)
    events = found.get("events")
    for event in events if isinstance(events, list) else []:
        _print(f"  {_event(event)}", environment)


def _event(event: Any) -> str:
    if not isinstance(event, dict):
        return safe(to_json(event))
    properties = event.get("properties")
    return "  ".join(
        safe(part if isinstance(part, str) else to_json(part))
        for part in (event.get("timestamp"), event.get("event_type"), properties)
        if part
    )


def _outcome(outcome: Json, environment: Environment) -> None:
    for name in outcome["ended"]:
        _print(f"{safe(name)} has ended", environment)
    for name in outcome["over_before"]:
        _print(f"{safe(name)} had already ended", environment)
    if not any(outcome.values()):
        _print("no conversation is active", environment)


def _print(text: str, environment: Environment) -> None:
    print(text, file=environment.stdout, flush=True)


def _compiled(query: str) -> Expression:
    try:
        return Expression(query)
    except UsageError as error:
        raise UsageError(f"--query is not a valid JMESPath expression: {error}") from None


def _picked(query: str, value: Any) -> Any:
    from jmespath.exceptions import JMESPathError

    expression = _compiled(query)
    try:
        return expression.search(value)
    except (JMESPathError, TooSlow, TypeError, ValueError) as error:
        raise UsageError(f"--query does not fit the answer: {' '.join(str(error).split())}") from None
