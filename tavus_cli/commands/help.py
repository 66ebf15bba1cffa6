"""``help [TOPIC]``: the pages of docs/, which the wheel holds as ``tavus_cli/manual``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import tavus_cli
from tavus_cli.errors import ConsoleError, ExitStatus, did_you_mean
from tavus_cli.session.environment import PROGRAM, Environment, is_tty
from tavus_cli.views.theme import use_color

# A page for each file docs/TOPIC.md, in the order in which they are read.
TOPICS = {
    "commands": "every command, with examples",
    "configuration": "settings, environment, API key, exit statuses, completion",
    "traps": "what costs money, what ends a conversation, what gets lost",
    "scripts": "the language of run: wait, expect, when",
    "testing": "testing an agent: suites, simulated callers, CI, load",
    "tools": "answering tool calls: programs, URLs, mocks; who may call",
    "recordings": "the file format, reading and sharing recordings",
    "report": "what happened in a recording, how fast: measures, gates, traces",
    "fleet": "many machines: traces to a collector, DuckDB over recordings",
    "sim": "the simulated PAL: parameters, scripts, faults",
    "local": "Tavus on this machine: API, rooms, webhooks, faults",
    "themes": "colours, and how to choose them",
    "live-check": "what to check against the real service, and how",
    "protocol": "Tavus' Interactions Protocol as this program reads it",
    "daily": "Daily's client: how joins fail, proxies, certificates",
    "architecture": "for people who change this program",
}
_INSTALLED = Path(tavus_cli.__file__).with_name("manual")
_CHECKOUT = Path(tavus_cli.__file__).parent.parent / "docs"

_IMAGE = re.compile(r"^!\[[^]]*\]\([^)]*\)\n\n?", re.M)
_LINK = re.compile(r"\[([^]]+)\]\((?!\w+:)[^)]*\)")  # to a page or a section, not to the web
_COMMENT = re.compile(r"^<!--.*?-->\n", re.M | re.S)
_WIDEST = 100


def topics(environment: Environment) -> int:
    """List the pages of the manual."""
    width = max(map(len, TOPICS))
    environment.stdout.write(f"The manual. To read a page: {PROGRAM} help TOPIC\n\n")
    environment.stdout.writelines(f"  {name:<{width}}  {line}\n" for name, line in TOPICS.items())
    environment.stdout.write(f"\nThe options of a command: {PROGRAM} COMMAND --help\n")
    return ExitStatus.DONE


def page(topic: str, environment: Environment) -> int:
    """Print a page: laid out on a terminal, else its Markdown. Raises ConsoleError if it is missing."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    try:
        text = (folder / f"{topic}.md").read_text("utf-8")
    except OSError as error:
        raise ConsoleError(
            f"the manual is missing from this installation ({error.strerror}): reinstall {PROGRAM}"
        ) from None
    text = _COMMENT.sub("", text)
    if is_tty(environment.stdout):
        _render(text, environment)
    else:
        environment.stdout.write(text)
    return ExitStatus.DONE


def unknown(word: str, commands: Iterable[str]) -> str:
    """The error for a word that names neither a page nor a command."""
    return f'unknown topic "{word}"' + (did_you_mean(word, (*TOPICS, *commands)) or f" (see {PROGRAM} help)")


def _render(text: str, environment: Environment) -> None:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # The name in the text is enough: a terminal cannot open a file that is not installed.
    shown = _LINK.sub(r"\1", _IMAGE.sub("", text))
    color = use_color(environment.color, environment.environ, is_tty(environment.stdout))
    Console(
        file=environment.stdout,
        width=min(environment.columns, _WIDEST),
        color_system="auto" if color else None,
        force_terminal=color,
        highlight=False,
        legacy_windows=False,
        theme=Theme({"markdown.code": "bold"}),  # rich's own has a black background
    ).print(Markdown(shown, hyperlinks=False, code_theme="ansi_dark"))
