"""What each command, option and argument can be completed with, read from the command tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tavus_cli.language.commands import COMMANDS, KINDS
from tavus_cli.protocol.catalogue import CATALOGUE, short_name

PROGRAM = "tavus-console"

# What can be in one place: words, and these for what the shell looks up.
FILES, FOLDERS = "@files", "@folders"
TARGETS = "@targets"  # sim, sim:FILE, a URL, or one of IDS
IDS = "@ids"  # running sessions; conversations created here that have not ended, or with a token kept here
LIST = "@list"  # of the words that follow: several can be given, with commas
Offer = tuple[str, ...]

TARGET_WORDS = ("sim", "https://")


@dataclass(frozen=True, slots=True)
class Option:
    """``names`` as typed; ``offer`` completes its value; ``repeats``: whether it can be given again."""

    names: tuple[str, ...]
    help: str
    takes_value: bool = False
    offer: Offer = ()
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class CommandShape:
    """``path`` is ("tail",) or ("session", "start"); ``arguments`` has an offer for each argument; where
    ``repeats``, the last is for all that follow.

    ``kinds`` has what may follow each KIND of ``send``; it is empty for all others.
    """

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Offer, ...] = ()
    repeats: bool = False
    kinds: Mapping[str, Offer] | None = None


def shapes() -> Iterator[CommandShape]:
    """Every command of the tree, the program itself first, with an empty path."""
    from typer.main import get_command

    from tavus_cli.cli import app, load

    load()
    yield from _walk(get_command(app), ())


def children(commands: list[CommandShape], path: tuple[str, ...]) -> list[CommandShape]:
    """The commands below ``path``: those of the program for ()."""
    return [one for one in commands if one.path[:-1] == path and one.path]


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[CommandShape]:
    parameters = [one for one in command.params if not getattr(one, "hidden", False)]
    options = [made for one in parameters if one.param_type_name == "option" for made in _options(one)]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    kinds = None
    if any("KIND" in str(one.metavar) for one in arguments):
        kinds = {kind: COMMANDS[kind].words for kind in KINDS}
        options += _of_kinds()
    below = {name: command.commands[name] for name in _names(command)}
    yield CommandShape(
        path,
        _line(command.help),
        (*options, Option(("-h", "--help"), "Show help and exit.")),
        (tuple(below),) if below else tuple(_argument(one) for one in arguments),
        any(one.nargs == -1 for one in arguments),
        kinds,
    )
    for name, child in below.items():
        yield from _walk(child, (*path, name))


def _names(command: Any) -> list[str]:
    """Of the commands below, in the order of --help."""
    return command.list_commands(None) if hasattr(command, "commands") else []


def _options(parameter: Any) -> Iterator[Option]:
    about = _line(parameter.help)
    names = tuple(sorted(parameter.opts, key=len))
    repeats = bool(parameter.multiple)
    yield Option(names, about, not parameter.is_flag, _offer(parameter), repeats)
    for name in parameter.secondary_opts:
        yield Option((name,), f"Not {parameter.opts[0]}.")


def _of_kinds() -> Iterator[Option]:
    """The options of interactions: ``echo --audio FILE.wav``."""
    for kind in KINDS:
        for name, about in COMMANDS[kind].options.items():
            takes_file = f"{name} FILE" in COMMANDS[kind].usage
            yield Option((name,), f"{kind}: {about}", takes_file, (FILES,) if takes_file else ())


_TYPES = tuple(sorted({short_name(name) for name in CATALOGUE}))
_OFFERS: dict[str, Offer] = {  # by what --help shows in place of the value
    **dict.fromkeys(("FILE", "FILE…", "RECORDING", "OUT", "OUT.html", "OLD", "URL|FILE"), (FILES,)),
    "FOLDER": (FOLDERS,),
    **dict.fromkeys(("TARGET", "[TARGET]"), (TARGETS,)),
    "[TARGET] SCRIPT…": (TARGETS, FILES),
    "[TARGET] KIND [TEXT]": (TARGETS, *KINDS),
    "TYPE": (LIST, *_TYPES),
    "reply|TYPE": (LIST, "reply", *_TYPES),
    "FORMAT": ("pretty", "jsonl"),
}


def _offer(parameter: Any) -> Offer:
    metavar = parameter.metavar or ""
    if metavar in _OFFERS:
        return _OFFERS[metavar]
    if parameter.name == "conversation_id":
        return (IDS,)
    if choices := getattr(parameter.type, "choices", ()):
        return tuple(str(getattr(one, "value", one)) for one in choices)
    return tuple(one for one in metavar.split("|") if not one.isupper()) if "|" in metavar else ()


def _argument(parameter: Any) -> Offer:
    from tavus_cli.cli import HOME
    from tavus_cli.commands.help import TOPICS
    from tavus_cli.local.webhooks import TYPES

    own = {"TOPIC": (*TOPICS, *HOME), "TYPE": TYPES, "ID": (IDS,), "[ID]": (IDS,), "[ID]…": (IDS,)}
    return own.get(str(parameter.metavar)) or _offer(parameter)


def _line(help: str | None) -> str:
    """The first paragraph, on one line."""
    return " ".join((help or "").split("\n\n")[0].split())
