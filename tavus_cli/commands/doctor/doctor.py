"""``doctor``: checks this machine, and with --room a real room. Each check is one finding.

Only this command checks what cannot be checked offline (README, docs/live-check.md). Each check has its own
time limit, as users run it when something hangs.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

from tavus_cli import __version__
from tavus_cli.api.checks import check_base_url
from tavus_cli.api.notes import reminders
from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.protocol.interactions import Interaction, lint
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.session.waiting import within
from tavus_cli.settings.table import KEYS, config_path
from tavus_cli.target import RoomOptions, Target, open_target
from tavus_cli.views.safe import safe_json
from tavus_cli.views.theme import THEMES, theme_named, use_color

from .api import check_api
from .findings import Findings
from .room import Visit, sendings

SESSIONS_SECONDS = 5.0
NAMED = 4
# Versions for bug reports; those of Daily's client and of Python are found elsewhere.
PACKAGES = ("httpx", "jmespath", "keyring", "msgspec", "prompt_toolkit", "rich", "typer")


@dataclass(frozen=True, slots=True)
class Doctor:
    """``lines`` are to be sent, as typed in ``join``. Times in seconds."""

    how: RoomOptions
    lines: tuple[str, ...]
    duration: float
    ready_timeout: float
    json: bool = False


async def doctor(target: Target | None, options: Doctor, environment: Environment) -> int:
    """Returns the exit status: 0 if every check passed, else that of the first failure. Raises UsageError."""
    to_send = sendings(options.lines)
    if to_send and target is None:
        raise UsageError("--send needs a room to send to: add --room TARGET")
    check_base_url(options.how.base_url)
    room = await _opened(target, options, environment)
    findings = Findings(environment, quiet=options.json)
    _program(findings)
    _client(findings)
    _terminal(findings, environment)
    _config(findings, environment)
    await _sessions(findings)
    for line in reminders():
        findings.add("left", None, line)
    await check_api(options.how.base_url, findings, environment)
    if room is None:
        findings.add("room", None, "no room was tried: --room TARGET joins one")
    elif isinstance(room, ConsoleError):
        findings.failed("room", room)
    else:
        for _, action in to_send:
            if isinstance(action, Interaction):
                for warning in lint(action.encode(room.conversation_id)):
                    environment.warn(f"warning: {warning}")
        await Visit(room, options.duration, options.ready_timeout, findings, environment).make(to_send)
    if options.json:
        tried = None if isinstance(room, ConsoleError) else room
        environment.stdout.write(safe_json(to_json(findings.as_json(tried))) + "\n")
        environment.stdout.flush()
    return findings.status


async def _opened(
    target: Target | None, options: Doctor, environment: Environment
) -> Room | ConsoleError | None:
    """The room, or the reason why it cannot be joined, such as an ended conversation. Raises UsageError."""
    try:
        return None if target is None else (await open_target(target, options.how, environment)).room
    except UsageError:
        raise
    except ConsoleError as error:
        return error


def _program(findings: Findings) -> None:
    from importlib.metadata import PackageNotFoundError, version

    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    findings.versions |= {"tavus-console": __version__, "daily-python": None, "python": python}
    findings.versions["system"] = system
    for name in PACKAGES:
        try:
            findings.versions[name] = version(name)
        except PackageNotFoundError:
            findings.versions[name] = None
    findings.add("program", True, f"tavus-console {__version__} (Python {python}, {system})")


def _client(findings: Findings) -> None:
    from tavus_cli.rooms.daily.client import client_version

    try:
        version = findings.versions["daily-python"] = client_version()
    except ConsoleError as error:
        findings.failed("client", error)
    else:
        findings.add("client", True, f"daily-python {version} loads")


def _terminal(findings: Findings, environment: Environment) -> None:
    """Report the terminal. A pipe or a simple terminal is fine, too."""
    stdout, term = environment.stdout, environment.environ.get("TERM", "")
    color = use_color(environment.color, environment.environ, is_tty(stdout))
    wanted = theme_named(environment.theme_name or environment.settings.theme, environment.environ)
    theme = next(name for name, one in THEMES.items() if one is wanted)  # the theme that "auto" gives here
    encoding = stdout.encoding or "utf-8"
    about: dict[str, Any] = {"terminal": is_tty(stdout), "encoding": encoding, "color": color, "theme": theme}
    unicode = encoding.lower().replace("-", "").startswith("utf")
    wrong = "" if unicode else f"; {encoding} lacks ✓, – and much else: set LC_ALL=C.UTF-8"
    if not is_tty(stdout):
        findings.add("terminal", None, f"no terminal: the output goes to a pipe or a file{wrong}", **about)
        return
    if term in ("", "dumb"):
        wrong += f"; no prompt, as it cannot move its cursor (TERM={term}): set TERM"
    colors = f"in colour (theme {theme})" if color else "without colour"
    text = f"a terminal ({term}), {environment.columns} columns, {colors}, {encoding}{wrong}"
    findings.add("terminal", None if wrong else True, text, term=term, columns=environment.columns, **about)


def _config(findings: Findings, environment: Environment) -> None:
    path = config_path(environment.environ)
    if (wrong := environment.check_settings()) is not None:
        mend = "; fix it: tavus-console config edit" if str(wrong).startswith(f"{path}:") else ""
        findings.failed("config", UsageError(f"{wrong}{mend}"))
    elif not path.exists():
        text = f"no settings file: tavus-console config edit creates {path}"
        findings.add("config", None, text, path=str(path))
    else:
        mine = [one for one in environment.settings.origins.values() if one.startswith(f"{path}:")]
        text = f"{path} is valid and sets {len(mine)} of {len(KEYS)} keys"
        findings.add("config", True, text, path=str(path))


async def _sessions(findings: Findings) -> None:
    from tavus_cli.resident.sessions import sessions

    try:
        found = await within(SESSIONS_SECONDS, sessions)
    except TimeoutError:
        text = f"the sessions did not answer within {SESSIONS_SECONDS:g} s"
        findings.add("sessions", None, f"{text}: tavus-console session stop --all")
        return
    except ConsoleError as error:  # none on this system
        findings.add("sessions", None, str(error))
        return
    found.close()
    if found.silent:
        text = f"not answering: {', '.join(found.silent)}; tavus-console session stop {found.silent[0]}"
        findings.add("sessions", None, text, sessions=[room.about for room in found.rooms])
        return
    ids = [*(str(room.about["id"]) for room in found.rooms), *found.joining]
    if not ids:
        findings.add("sessions", None, "no session is running in the background", sessions=[])
        return
    some = ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
    text = f"{len(ids)} session{'s' if len(ids) > 1 else ''} in the background: {some}"
    findings.add("sessions", True, text, sessions=[room.about for room in found.rooms])
