"""One write a frame: what is drawn is held back until the drawing is complete.

prompt_toolkit flushes its output several times while it erases and draws; on the terminal each
flush is a picture of its own, and the one between the erasing and the drawing has no prompt. So
``flush`` does nothing while the prompt runs, and ``let_go`` is called when a drawing is done.
Neighbours: ``prompt`` decides when a frame is due and what is in it.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.output import Output

from tavus_cli.terminal.writer import Writer


class Frame:
    """Holds the flushing of an output from ``hold`` to ``release``.

    ``writer`` is what the output writes to; without one a write waits for the terminal.
    """

    def __init__(self, output: Output, writer: Writer | None) -> None:
        self._output = output
        self._writer = writer
        self._flush = output.flush
        self._disable_paste = output.disable_bracketed_paste

    @property
    def busy(self) -> bool:
        """Whether the terminal has not taken all of what was let go."""
        return self._writer is not None and self._writer.busy

    def hold(self, on_free: Callable[[], None], on_stall: Callable[[float], None]) -> None:
        """From now on nothing reaches the terminal before ``let_go``. What is called: ``Writer.attach``."""
        if self._writer is not None:
            self._writer.attach(on_free, on_stall)
        self._output.flush = _nothing  # type: ignore[method-assign]
        # Erasing would switch bracketed paste off for a moment in every frame. Over a slow link a
        # paste could fall into that moment, and each of its lines would be sent as if by Enter.
        self._output.disable_bracketed_paste = _nothing  # type: ignore[method-assign]

    def let_go(self) -> None:
        """Everything held goes out in one write."""
        self._flush()

    async def lend(self) -> None:
        """What is held goes out, and another program finds the terminal as it expects it."""
        self._disable_paste()
        self._flush()
        await self.drained()

    async def drained(self) -> None:
        """Returns when the terminal has taken everything."""
        if self._writer is not None:
            await self._writer.drained()

    def detach(self) -> None:
        """After ``release``: writes wait for the terminal again; what it has not taken is dropped."""
        if self._writer is not None:
            self._writer.detach()

    def release(self) -> None:
        """The output is as it was before ``hold``; what is still held goes out."""
        self._output.flush = self._flush  # type: ignore[method-assign]
        self._output.disable_bracketed_paste = self._disable_paste  # type: ignore[method-assign]
        self._output.disable_bracketed_paste()
        self._output.flush()


def _nothing() -> None:
    pass
