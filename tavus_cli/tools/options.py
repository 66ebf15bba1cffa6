"""How tool calls are to be answered, from the options of a command; and the table that they come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.tools.policy import MAX_CALLS
from tavus_cli.tools.table import REPLY_KINDS, ReplyKind, Table, load, option

SENDERS = ("pal", "any")


class ToolOptions(NamedTuple):
    """``tools`` are NAME=COMMAND or NAME=URL, ``file`` is TOML, ``log`` is a file of JSON lines.

    Words and numbers only, so that a resident session can be told them.
    """

    tools: tuple[str, ...] = ()
    file: str | None = None
    reply: ReplyKind | None = None
    anyone: bool = False
    max_calls: int = MAX_CALLS
    cut: bool = False
    log: str | None = None
    dry_run: bool = False

    @property
    def wanted(self) -> bool:
        return bool(self.tools or self.file)

    def table(self, environ: Mapping[str, str]) -> Table:
        """What was given with --tool goes before what is in the file. Raises UsageError."""
        given = [option(one) for one in self.tools]
        names = {tool.name for tool in given}
        given += [tool for tool in load(self.file) if tool.name not in names] if self.file else []
        for tool in given:
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
    """Checked, as they come from the command line. Raises UsageError."""
    kind: ReplyKind | None = next((one for one in REPLY_KINDS if one == reply), None)
    if reply is not None and kind is None:
        raise UsageError(f"--tool-reply is {', '.join(REPLY_KINDS)}, not {reply}")
    if sender not in SENDERS:
        raise UsageError(f"--tool-from is {' or '.join(SENDERS)}, not {sender}")
    if not tools and not file:
        needed = {"--tool-reply": reply, "--tool-log": log, "--cut": cut, "--tool-from": sender != "pal"}
        for name, value in needed.items():
            if value:
                raise UsageError(f"{name} needs --tool or --tools")
    return ToolOptions(tuple(tools or ()), file, kind, sender == "any", max_calls, cut, log, dry_run)
