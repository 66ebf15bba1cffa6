"""Ctrl-Z: stopping as a shell with job control expects, and resuming after ``fg``.

Neighbour: ``lending`` gives the terminal back before, and takes it again afterwards.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Self

FRONT_SECONDS = 0.1  # how often a background program checks whether it is in front: no signal says so
NO_SHELL = "Ctrl-Z ignored: no shell with job control could resume this program"


class JobControl:
    """Inside ``with``, ``on_stop`` is called for a SIGTSTP from outside, ``on_continue`` for a SIGCONT."""

    def __init__(self, on_stop: Callable[[], None], on_continue: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._on_continue = on_continue
        # A program in the process group that leads its session (in a tmux pane, by ``ssh host
        # tavus-console``) has no shell that could resume it. One that was started with the signal ignored
        # must ignore it.
        self.has_shell = (
            hasattr(signal, "SIGTSTP")
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTSTP) != signal.SIG_IGN
            and os.getpgrp() != os.getsid(0)
        )

    def __enter__(self) -> Self:
        if self.has_shell:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTSTP, self._on_stop)
            loop.add_signal_handler(signal.SIGCONT, self._on_continue)
        return self

    def __exit__(self, *_: object) -> None:
        if self.has_shell:
            loop = asyncio.get_running_loop()
            loop.remove_signal_handler(signal.SIGTSTP)
            loop.remove_signal_handler(signal.SIGCONT)

    async def stop(self, is_over: Callable[[], bool]) -> None:
        """Stop, and wait until we are in the foreground again, or the prompt is closed.

        If the shell resumes us in the background (``bg``, ``kill %1``), the room is still received and a
        signal still leaves it, but the terminal is not touched.
        """
        self.halt()
        while not _in_front():
            if is_over():  # giving the terminal back would stop it once more
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                break
            await asyncio.sleep(FRONT_SECONDS)

    def halt(self) -> None:
        """Stop the process group. Returns when it is resumed; at once if the kernel finds no shell either.

        ``on_continue`` is not called for it.
        """
        self.__exit__()
        # First the others of the group (make, a wrapper). Then this very thread: a signal for the whole
        # process may be taken by another thread, and this one would run on into the shell's terminal.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        self.__enter__()


def _in_front() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # it is gone; the next write raises
        return True
