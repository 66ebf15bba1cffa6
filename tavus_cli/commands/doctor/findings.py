"""The findings of ``doctor``: printed one by one, or at the end as one object."""

from __future__ import annotations

from typing import Any

from tavus_cli.api.client import CannotReach
from tavus_cli.errors import ConsoleError, ExitStatus
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.views.safe import safe

_MARKS = {True: ("✓", "latency"), False: ("✗", "warning"), None: ("–", "quiet")}


class Findings:
    """``quiet``: print nothing. ``status``: 0, or that of the first failure."""

    def __init__(self, environment: Environment, *, quiet: bool) -> None:
        self.status: int = ExitStatus.DONE
        self.all: list[dict[str, Any]] = []
        self.versions: dict[str, str | None] = {}
        self._environment = environment
        self._quiet = quiet

    def add(
        self, check: str, ok: bool | None, text: str, *, seconds: float | None = None, **more: Any
    ) -> None:
        """``ok`` None: not tried, or only a remark. ``seconds`` is what was measured."""
        finding: dict[str, Any] = {"check": check, "ok": ok, "text": text}
        if seconds is not None:
            finding["seconds"] = round(seconds, 3)
        self.all.append(finding | more)
        if not self._quiet:
            mark, style = _MARKS[ok]
            print(
                self._environment.theme.paint(style, mark),
                safe(text),
                file=self._environment.stdout,
                flush=True,
            )

    def failed(self, check: str, error: ConsoleError, *, needed: bool = True) -> None:
        more: dict[str, Any] = {"stage": error.stage} if isinstance(error, CannotReach) else {}
        text = str(error)
        if not needed:
            self.add(check, None, f"{text} (not needed without a key)", reason=error.reason, **more)
            return
        self.add(check, False, text, reason=error.reason, **more)
        self.status = self.status or int(error.status)

    def as_json(self, room: Room | None) -> dict[str, Any]:
        return {
            "ok": self.status == ExitStatus.DONE,
            "exit_status": int(self.status),
            "target": room.target if room else None,
            "conversation_id": room.conversation_id if room else None,
            "versions": self.versions,
            "checks": self.all,
        }
