"""Static completion scripts for bash, zsh and fish, made from the command tree.

Static, because a script that asks the program costs a fifth of a second a TAB, and because nothing that
a remote party chose may pass through a shell. ``completions/`` holds them; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import COMMANDS, KINDS
from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.protocol.events import short_name

PROGRAM = "tavus-console"
_FILES = ("FILE", "RECORDING")


@dataclass(frozen=True, slots=True)
class Option:
    """``names`` as typed; ``words`` completes the value; ``files`` whether it is a path."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    words: tuple[str, ...] = ()
    files: bool = False


@dataclass(frozen=True, slots=True)
class CommandShape:
    """``path`` is ("tail",) or ("session", "start"); ``words`` completes its arguments."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    files: bool = False
    kinds: bool = False


def script(shell: str) -> str:
    """The script for "bash", "zsh" or "fish". Raises UsageError for another one."""
    make = _SCRIPTS.get(shell)
    if make is None:
        raise UsageError(f'no completion for "{shell}": there is one for {", ".join(_SCRIPTS)}')
    return make(list(shapes()))


def shapes() -> Iterator[CommandShape]:
    """Every command of the tree, the program itself first, with an empty path."""
    from typer.main import get_command

    from tavus_cli.cli import app, load

    load()
    yield from _walk(get_command(app), ())


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[CommandShape]:
    parameters = [one for one in command.params if not getattr(one, "hidden", False)]
    options = [_option(one) for one in parameters if one.param_type_name == "option"]
    options.append(Option(("-h", "--help"), "Show help and exit.", False))
    children: dict[str, Any] = getattr(command, "commands", {})
    arguments = [str(one.metavar) for one in parameters if one.param_type_name == "argument"]
    words = tuple(children)
    if any("TARGET" in one for one in arguments):
        words += ("sim", "https://")
    if any("|" in one for one in arguments):
        words += tuple(word for one in arguments for word in one.split("|"))
    yield CommandShape(
        path,
        _line(command.help),
        tuple(options),
        words,
        files=any(one in _FILES for one in arguments),
        kinds=any("KIND" in one for one in arguments),
    )
    for name, child in children.items():
        yield from _walk(child, (*path, name))


def _option(parameter: Any) -> Option:
    metavar = parameter.metavar or ""
    choices = tuple(getattr(parameter.type, "choices", ()))
    words = tuple(str(getattr(one, "value", one)) for one in choices)
    if not words and "|" in metavar:
        words = tuple(word for word in metavar.split("|") if word.islower() or word.isdigit())
    if "TYPE" in metavar:
        words += tuple(sorted({short_name(name) for name in CATALOGUE}))
    names = tuple(sorted(parameter.opts, key=len))
    return Option(names, _line(parameter.help), not parameter.is_flag, words, files=metavar in _FILES)


def _line(help: str | None) -> str:
    """The first paragraph on one line, without what a shell could take for its own."""
    text = " ".join((help or "").split("\n\n")[0].split())
    return "".join(one for one in text if one not in "\"'`$\\[]:{}")


def _name(path: tuple[str, ...]) -> str:
    return "_".join(("_tavus_console", *path)).replace("-", "_")


def _bash(commands: list[CommandShape]) -> str:
    values: list[str] = []
    for command in commands:
        for option in command.options:
            if option.takes_value:
                key = "|".join(f'"{" ".join(command.path)} {name}"' for name in option.names)
                what = _bash_files if option.files else _bash_words(option.words)
                values.append(f"        {key}) {what}; return ;;")
    cases: list[str] = []
    for command in commands:
        options = tuple(name for option in command.options for name in option.names)
        arguments = (*command.words, *(KINDS if command.kinds else ()))
        files = f"; {_bash_files}" if command.files else ""
        cases.append(
            f'        "{" ".join(command.path)}") if [[ $current == -* ]]; then {_bash_words(options)}; '
            f"else {_bash_words(arguments)}{files}; fi ;;"
        )
    tree = "|".join(f'"{" ".join(command.path)}"' for command in commands if command.path)
    return f"""# bash completion for {PROGRAM}. Made from its command tree; do not edit.
_tavus_console_words() {{
    local IFS=$' \\t\\n'
    COMPREPLY+=($(compgen -W "$1" -- "$2"))
}}
_tavus_console_files() {{
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$1"))
}}
_tavus_console() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path="" word
    COMPREPLY=()
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "${{path:+$path }}$word" in
        {tree}) path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path $previous" in
{chr(10).join(values)}
    esac
    case "$path" in
{chr(10).join(cases)}
    esac
}}
complete -F _tavus_console {PROGRAM}
"""


_bash_files = '_tavus_console_files "$current"'


def _bash_words(words: tuple[str, ...]) -> str:
    return f'_tavus_console_words "{" ".join(words)}" "$current"' if words else ":"


def _zsh(commands: list[CommandShape]) -> str:
    functions = []
    for command in commands:
        children = [one for one in commands if one.path[:-1] == command.path and one.path]
        lines = [f"    {_zsh_option(option)} \\" for option in command.options]
        if children:
            described = " ".join(f"'{one.path[-1]}:{one.help}'" for one in children)
            cases = "\n".join(f"        {one.path[-1]}) {_name(one.path)} ;;" for one in children)
            functions.append(
                f"{_name(command.path)}() {{\n    local line state\n    local -a commands\n"
                f"    commands=({described})\n    _arguments -C \\\n" + "\n".join(lines) + "\n"
                "    '1: :->command' '*::argument:->arguments'\n"
                "    case $state in\n    command) _describe command commands ;;\n"
                f"    arguments)\n        case $line[1] in\n{cases}\n        esac ;;\n    esac\n}}\n"
            )
        else:
            words = (*command.words, *(KINDS if command.kinds else ()))
            action = "_files" if command.files else f"({' '.join(words)})" if words else " "
            functions.append(
                f"{_name(command.path)}() {{\n    _arguments \\\n"
                + "\n".join(lines)
                + f"\n    '*:argument:{action}'\n}}\n"
            )
    head = f"#compdef {PROGRAM}\n# zsh completion for {PROGRAM}. Made from its command tree; do not edit.\n\n"
    return head + "\n".join(functions) + f'\n{_name(())} "$@"\n'


def _zsh_option(option: Option) -> str:
    action = ""
    if option.takes_value:
        action = ":value:_files" if option.files else f":value:({' '.join(option.words)})"
        if not option.files and not option.words:
            action = ":value: "
    names = "{" + ",".join(option.names) + "}" if len(option.names) > 1 else option.names[0]
    return (
        f"{names}'[{option.help}]{action}'" if len(option.names) > 1 else f"'{names}[{option.help}]{action}'"
    )


def _fish(commands: list[CommandShape]) -> str:
    lines = [
        f"# fish completion for {PROGRAM}. Made from its command tree; do not edit.",
        f"complete -c {PROGRAM} -f",
    ]
    for command in commands:
        children = [one for one in commands if one.path[:-1] == command.path and one.path]
        when = _fish_condition(command.path, [one.path[-1] for one in children])
        for child in children:
            lines.append(f"complete -c {PROGRAM} -n '{when}' -a {child.path[-1]} -d '{child.help}'")
        for option in command.options:
            flags = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
            value = ""
            if option.takes_value:
                value = " -r" + (" -F" if option.files else f" -a '{' '.join(option.words)}'")
            lines.append(f"complete -c {PROGRAM} -n '{when}' {flags}{value} -d '{option.help}'")
        words = [*command.words, *(KINDS if command.kinds else ())] if not children else []
        for word in words:
            about = f" -d '{_line(COMMANDS[word].help)}'" if word in COMMANDS else ""
            lines.append(f"complete -c {PROGRAM} -n '{when}' -a '{word}'{about}")
        if command.files:
            lines.append(f"complete -c {PROGRAM} -n '{when}' -F")
    return "\n".join(lines) + "\n"


def _fish_condition(path: tuple[str, ...], children: list[str]) -> str:
    if not path:
        return "__fish_use_subcommand"
    seen = "; and ".join(f"__fish_seen_subcommand_from {name}" for name in path)
    return f"{seen}; and not __fish_seen_subcommand_from {' '.join(children)}" if children else seen


_SCRIPTS: dict[str, Callable[[list[CommandShape]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
