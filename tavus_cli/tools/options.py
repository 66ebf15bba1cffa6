"""Options for answering tool calls, and the table of tools made from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.tools.policy import MAX_CALLS
from tavus_cli.tools.table import REPLY_KINDS, ReplyKind, Table, load, option

if TYPE_CHECKING:
    from tavus_cli.session.environment import Environment
    from tavus_cli.session.session import Session
    from tavus_cli.tools.bridge import Bridge

ANYONE = "warning: --tool-from any: anybody in the room can run your tools"
SENDERS = ("pal", "any")


class ToolOptions(NamedTuple):
    """``tools`` are NAME=COMMAND or NAME=URL, ``file`` is a TOML file, ``log`` a file of JSON lines.

    Only text and numbers, so that they can be passed to a resident session.
    """

    tools: tuple[str, ...] = ()
    file: str | None = None
    reply: ReplyKind | None = None
    anyone: bool = False
    max_calls: int = MAX_CALLS
    cut: bool = False
    log: str | None = None
    dry_run: bool = False

    def bridge(self, session: Session, environment: Environment) -> Bridge:
        """The answerer of calls: a sink of the session, to be entered around it.

        Raises UsageError for invalid options, for a recording, and for a resident session, which answers
        calls itself.
        """
        from tavus_cli.tools.bridge import Bridge

        room = session.room
        if room.via:
            from tavus_cli.resident.room import ResidentRoom

            assert isinstance(room, ResidentRoom)
            room.close()
            already = (
                f"the session {room.via} runs tools already, for all that join it; for others"
                if room.tools
                else f"tools run in the process of the session {room.via}, for all that join it;"
            )
            raise UsageError(
                f"{already} stop it (tavus-console session stop {room.via}) and give --tool to session start"
            )
        if self.anyone:
            environment.warn(ANYONE)
        bridge = Bridge(self, room, session.send, session.note, environment.environ)
        session.sinks.append(bridge)
        return bridge

    def table(self, environ: Mapping[str, str]) -> Table:
        """The table of tools; --tool goes before the file. Raises UsageError."""
        given = [option(one) for one in self.tools]
        names = {tool.name for tool in given}
        given += [tool for tool in load(self.file) if tool.name not in names] if self.file else []
        for tool in given:
            if tool.command and not hasattr(os, "killpg"):
                raise UsageError(f'tool "{tool.name}" is a program, which needs Linux or macOS: use a URL')
            for header, variable in tool.headers.items():
                if variable not in environ:
                    raise UsageError(f'{variable} is not set: tool "{tool.name}" sends it as {header}')
                if not (environ[variable].isascii() and environ[variable].isprintable()):
                    raise UsageError(f"{variable} cannot be sent as a header: it is not one line of ASCII")
        return Table(given)


def tool_options(
    tools: list[str] | None,
    file: str | None,
    reply: str | None,
    sender: str,
    max_calls: int,
    cut: bool,
    log: str | None,
    dry_run: bool = False,
) -> ToolOptions:
    """Options from the command line, checked. Raises UsageError."""
    kind: ReplyKind | None = next((one for one in REPLY_KINDS if one == reply), None)
    if reply is not None and kind is None:
        near = did_you_mean(reply, REPLY_KINDS)
        raise UsageError(f"--tool-reply must be one of {', '.join(REPLY_KINDS)}, not {reply}{near}")
    if sender not in SENDERS:
        raise UsageError(
            f"--tool-from must be {' or '.join(SENDERS)}, not {sender}{did_you_mean(sender, SENDERS)}"
        )
    if not tools and not file:
        raise UsageError("no tools: give --tool or --tools")
    return ToolOptions(tuple(tools or ()), file, kind, sender == "any", max_calls, cut, log, dry_run)
