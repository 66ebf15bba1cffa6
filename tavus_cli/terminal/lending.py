"""Lending the terminal: to the user's editor (Ctrl-X Ctrl-E) or to the shell (Ctrl-Z), and taking it back.

Neighbours: ``prompt`` draws nothing while it is lent; ``editor`` and ``suspend`` do the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from prompt_toolkit.application import Application, in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from tavus_cli.terminal.editor import EditorFailed, edited
from tavus_cli.terminal.frame import Frame
from tavus_cli.terminal.suspend import NO_SHELL, JobControl


class Lending:
    """``lent``: the editor or the shell has the terminal. ``jobs`` is entered for as long as the prompt runs.

    ``say`` shows a line; ``written`` is called once everything drawn is on the screen.
    """

    def __init__(
        self,
        app: Application[Any],
        frame: Frame,
        buffer: Buffer,
        say: Callable[[str], None],
        written: Callable[[], None],
    ) -> None:
        self.lent = False
        self.jobs = JobControl(self._suspend_from_outside, self._continued)
        self._app = app
        self._frame = frame
        self._buffer = buffer
        self._say = say
        self._written = written

    def edit(self) -> None:
        """Open the editor on the input. What was written there is then in the input line."""
        if not self.lent:
            self.lent = True
            self._app.create_background_task(self._edit())

    def suspend(self) -> None:
        """Stop the process, as a shell with job control expects."""
        if not self.jobs.has_shell:
            self._say(NO_SHELL)
        elif not self.lent:
            self.lent = True
            self._app.create_background_task(self._suspend())

    @contextlib.asynccontextmanager
    async def _lending(self) -> AsyncIterator[None]:
        """The frame stays held: what is drawn meanwhile, for a resize, must not reach the terminal."""
        try:
            async with in_terminal():
                await self._frame.lend()
                self._written()
                try:
                    yield
                finally:
                    self.lent = False
        finally:
            self.lent = False

    async def _edit(self) -> None:
        buffer = self._buffer
        try:
            async with self._lending():
                try:
                    text = await asyncio.to_thread(edited, buffer.text, os.environ)
                    buffer.document = Document(text)
                except EditorFailed as error:
                    self._say(f"✗ {error}")
        finally:
            if self._app.is_done and buffer.text.strip():
                buffer.append_to_history()  # the conversation has ended; keep the text for the next one

    async def _suspend(self) -> None:
        async with self._lending():
            await self.jobs.stop(lambda: self._app.is_done)

    def _suspend_from_outside(self) -> None:
        if self.lent:  # the editor was stopped, and the terminal is its own
            self.jobs.halt()
        else:
            self.suspend()

    def _continued(self) -> None:
        """After a SIGSTOP, which cannot be caught: the shell has used the terminal."""
        if self.lent or not self._app.is_running:
            return
        # Entered and never left: the prompt restores the terminal's earlier mode when it ends.
        self._app.input.raw_mode().__enter__()
        self._app.renderer.reset()
        self._frame.forget()
        self._app.invalidate()
