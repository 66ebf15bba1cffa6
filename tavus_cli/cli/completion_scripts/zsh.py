"""The completion script for zsh, by its ``_arguments``."""

from __future__ import annotations

import re

from tavus_cli.cli.completion_scripts.shapes import (
    PROGRAM,
    TARGET_WORDS,
    CommandShape,
    Offer,
    Option,
    children,
)

_HEAD = r"""#compdef tavus-console
# zsh completion for tavus-console. Made from its command tree; do not edit.

# Sessions that run here, conversations created here that have not ended, and those with a token kept here.
_tavus_console_ids() {
    emulate -L zsh
    local LC_ALL=C one name text state
    local -a folders=("${XDG_RUNTIME_DIR:-/run/user/$UID}/tavus-console" "/run/user/$UID/tavus-console"
        "${TMPDIR:-/tmp}/runtime-$UID/tavus-console" "$HOME/Library/Caches/TemporaryItems/tavus-console")
    local -aU found
    [[ -n $TAVUS_CONSOLE_RUNTIME ]] && folders=("$TAVUS_CONSOLE_RUNTIME")
    for one in $folders; do
        for name in $one/*.sock(N:t:r); do
            [[ $name =~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$' ]] && found+=($name)
        done
    done
    for state in "${XDG_STATE_HOME:-$HOME/.local/state}" "$HOME/Library/Application Support"; do
        for one in $state/tavus-console/open/*(N.); do
            text=$(<$one)
            [[ $text =~ '"conversation_id": "(c[0-9a-z]+)"' ]] && found+=($match[1])
        done
        for name in $state/tavus-console/tokens/*(N:t); do
            [[ $name =~ '^c[0-9a-z]+$' ]] && found+=($name)
        done
    done
    compadd -a found
}

_tavus_console_offer() {
    local one
    for one; do
        case $one in
        @files) _files ;;
        @folders) _files -/ ;;
        @ids) _tavus_console_ids ;;
        @list) compset -P '*,' ;;
        @targets)
            if compset -P 'sim:'; then _files; else _tavus_console_offer __TARGETS__ @ids; fi ;;
        *[:/=]) compadd -S '' -- $one ;;
        *) compadd -- $one ;;
        esac
    done
}

# KIND and what follows it: "$@" are the arguments of send before the cursor.
_tavus_console_kind() {
    local -i place=1
    (( ${#${(@)argv[1]}} )) && [[ " __KINDS__ " != *" $1 "* ]] && place=2
    if (( $# < place )); then
        (( $# )) || _tavus_console_offer @targets
        _tavus_console_offer __KINDS__
    elif (( $# == place )); then
        case $argv[place] in
__WORDS__
        esac
    fi
}

"""


def script(commands: list[CommandShape]) -> str:
    """The script, for the commands of ``shapes``."""
    kinds = next(one.kinds for one in commands if one.kinds)
    words = "\n".join(
        f"        {kind}) _tavus_console_offer {' '.join(offer)} ;;" for kind, offer in kinds.items() if offer
    )
    head = _HEAD.replace("tavus-console", PROGRAM).replace("__TARGETS__", " ".join(TARGET_WORDS))
    head = head.replace("__KINDS__", " ".join(kinds)).replace("__WORDS__", words)
    functions = [_function(one, children(commands, one.path)) for one in commands]
    return head + "\n".join(functions) + f'\n{_name(())} "$@"\n'


def _function(command: CommandShape, below: list[CommandShape]) -> str:
    lines = [f"    {_option(option)} \\" for option in command.options]
    if below:
        described = "\n".join(f"        {_quoted(one.path[-1] + ':' + one.help)}" for one in below)
        cases = "\n".join(f"        {one.path[-1]}) {_name(one.path)} ;;" for one in below)
        return (
            f"{_name(command.path)}() {{\n    local line state\n    local -a commands=(\n{described}\n    )\n"
            "    _arguments -C \\\n" + "\n".join(lines) + "\n"
            "    '1: :->command' '*::argument:->arguments'\n"
            "    case $state in\n    command) _describe command commands ;;\n"
            f"    arguments)\n        case $line[1] in\n{cases}\n        esac ;;\n    esac\n}}\n"
        )
    if command.kinds is not None:
        lines.append("    '*:argument:->argument'")
        after = '\n    [[ $state == argument ]] && _tavus_console_kind "${(@)line[1,-2]}"'
        return (
            f"{_name(command.path)}() {{\n    local line state\n    _arguments -C \\\n"
            + "\n".join(lines)
            + f"{after}\n}}\n"
        )
    for place, offer in enumerate(command.arguments, 1):
        every = command.repeats and place == len(command.arguments)
        lines.append(f"    '{'*' if every else place}:argument:{_action(offer)}' \\")
    return f"{_name(command.path)}() {{\n    _arguments \\\n" + "\n".join(lines).removesuffix(" \\") + "\n}\n"


def _option(option: Option) -> str:
    """A spec of _arguments: an option with a value takes it as ``--name VALUE`` and ``--name=VALUE``."""
    equals = {True: "=", False: "+"} if option.takes_value else {True: "", False: ""}
    names = [name + equals[name.startswith("--")] for name in option.names]
    value = f":value:{_action(option.offer)}" if option.takes_value else ""
    about = _quoted(re.sub(r"([\\\[\]:])", r"\\\1", option.help), f"[{{}}]{value}")
    once = "'*'" if option.repeats else f"'({' '.join(option.names)})'"
    return once + (f"{{{','.join(names)}}}" if len(names) > 1 else names[0]) + about


def _action(offer: Offer) -> str:
    return f" _tavus_console_offer {' '.join(offer)}" if offer else " "


def _quoted(text: str, around: str = "{}") -> str:
    return "'" + around.format(text.replace("'", "'\\''")) + "'"


def _name(path: tuple[str, ...]) -> str:
    return "_".join(("_tavus_console", *path)).replace("-", "_")
