"""Which terminals are known to fold long rows when they become narrower."""

from __future__ import annotations

import pytest

from tavus_cli.terminal.frame import folds


@pytest.mark.parametrize(
    ("environ", "folded"),
    [
        ({"TERM": "xterm-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, True),
        ({"TERM": "xterm-256color"}, False),  # xterm cuts them: going up would erase what was printed
        ({"TERM": "xterm-256color", "TMUX": ""}, False),
        ({}, False),
    ],
)
def test_terminals_that_fold(environ: dict[str, str], folded: bool) -> None:
    assert folds(environ) is folded
