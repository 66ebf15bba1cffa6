"""Which terminals are known to fold long rows when they become narrower."""

from __future__ import annotations

import pytest

from tavus_cli.terminal.frame import Folding, folds


@pytest.mark.parametrize(
    ("environ", "folded"),
    [
        ({"TERM": "xterm-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, Folding.ONCE_USED),
        ({"TERM": "tmux-256color"}, Folding.ONCE_USED),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, Folding.TEXT),
        ({"TERM": "xterm-kitty"}, Folding.TEXT),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, Folding.TEXT),
        ({"TERM": "xterm-256color"}, Folding.NONE),  # xterm cuts them: going up would erase what was printed
        ({"TERM": "xterm-256color", "TMUX": ""}, Folding.NONE),
        ({}, Folding.NONE),
    ],
)
def test_terminals_that_fold(environ: dict[str, str], folded: Folding) -> None:
    assert folds(environ) is folded
