"""``--tool-log``: the facts that Tavus advises to log of each call, as JSON lines (docs/protocol.md, 7)."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from tavus_cli.errors import redacted
from tavus_cli.files import cannot, open_to_write
from tavus_cli.protocol.wire import to_json

if TYPE_CHECKING:
    from tavus_cli.tools.bridge import Run


def facts(run: Run, conversation_id: str, at: float) -> dict[str, Any]:
    """The facts about a call; ``at`` in Unix seconds, other times in milliseconds."""
    call = run.call
    return {
        "at": round(at, 3),
        "conversation_id": conversation_id,
        "tool": call.name,
        "tool_call_id": call.id,
        "turn": call.turn,
        "event_type": call.event_type,
        "arguments": call.arguments,
        "state": run.state,
        "reason": run.reason,
        "result": run.output,
        "sent": run.sent,
        **times(run),
    }


def times(run: Run) -> dict[str, float | None]:
    """Milliseconds since the call arrived; None for moments that have not happened."""
    since = {"started_ms": run.started, "answered_ms": run.answered, "spoken_ms": run.spoken}
    return {name: None if value is None else round(value * 1000, 1) for name, value in since.items()}


class ToolLog:
    """Appends to a file of mode 0600, as it holds people's words. ``failed`` reports a full disk once.

    Raises UsageError if the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.failed: str | None = None
        self._path = path
        try:
            descriptor = open_to_write(path, os.O_APPEND, file_only=True)
        except (OSError, ValueError) as error:
            raise cannot(path, error) from None
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")

    def write(self, line: dict[str, Any]) -> str | None:
        """Write; returns the error, the first time there is one."""
        if self.failed is not None:
            return None
        try:
            self._file.write(redacted(to_json(line)) + "\n")
            self._file.flush()
        except OSError as error:
            self.failed = f"{self._path}: {error.strerror or error}; the log of tool calls ends here"
        return self.failed

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
