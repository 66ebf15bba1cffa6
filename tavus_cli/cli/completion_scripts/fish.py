"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from tavus_cli.cli.completion_scripts.shapes import (
    FILES,
    FOLDERS,
    IDS,
    LIST,
    PROGRAM,
    TARGET_WORDS,
    TARGETS,
    CommandShape,
    Offer,
    Option,
    children,
)
from tavus_cli.language.commands import COMMANDS

_HEAD = r"""# fish completion for tavus-console. Made from its command tree; do not edit.

# Whether the command is this one: "tail", "session start"; "" where none is given yet.
function __tavus_console_at
    set -l words (commandline -opc)
    set -l path $words[2]
    contains -- "$path" __GROUPS__
    and set -a path $words[3]
    test "$path" = "$argv"
end

# The arguments before the cursor: no options, nor their values.
function __tavus_console_arguments
    set -l words (commandline -opc)
    set -l from 3
    contains -- "$words[2]" __GROUPS__
    and set from 4
    set -l value 0
    for word in $words[$from..-1]
        if test $value = 1
            set value 0
        else if string match -q -- '-?*' $word
            contains -- $word __TAKING__
            and set value 1
        else
            printf '%s\n' $word
        end
    end
end

function __tavus_console_nth
    test (count (__tavus_console_arguments)) = $argv[1]
end

# Sessions that run here, conversations created here that have not ended, and those with a token kept here.
function __tavus_console_ids
    set -l user (id -u)
    set -l runtime "/run/user/$user"
    set -q XDG_RUNTIME_DIR
    and set runtime $XDG_RUNTIME_DIR
    set -l temporary /tmp
    set -q TMPDIR
    and set temporary $TMPDIR
    set -l state "$HOME/.local/state"
    set -q XDG_STATE_HOME
    and set state $XDG_STATE_HOME
    set -l folders "$runtime/tavus-console" "/run/user/$user/tavus-console" \
        "$temporary/runtime-$user/tavus-console" "$HOME/Library/Caches/TemporaryItems/tavus-console"
    set -q TAVUS_CONSOLE_RUNTIME
    and set folders $TAVUS_CONSOLE_RUNTIME
    for socket in $folders/*.sock
        string match -r -- '^[A-Za-z0-9][A-Za-z0-9_.-]*(?=\.sock$)' (string replace -r '.*/' '' -- $socket)
    end
    for note in $state/tavus-console/open/* "$HOME/Library/Application Support/tavus-console/open"/*
        test -f $note
        and string match -rg -- '"conversation_id": "(c[0-9a-z]+)"' <$note
    end
    for token in $state/tavus-console/tokens/* "$HOME/Library/Application Support/tavus-console/tokens"/*
        string match -r -- '^c[0-9a-z]+$' (string replace -r '.*/' '' -- $token)
    end
    return 0
end

function __tavus_console_targets
    set -l start (string replace -r '^["\']?sim:' '' -- (commandline -ct))
    or begin
        printf '%s\n' __TARGETS__
        __tavus_console_ids
        return
    end
    for path in $start*
        test -d $path
        and set path $path/
        printf 'sim:%s\n' $path
    end
end

# Words of which several can be given, with commas.
function __tavus_console_list
    set -l start (string match -rg -- '^(?:--[^=]*=)?(.*,)' (commandline -ct))
    printf '%s\n' "$start"$argv
end

# Whether KIND is the last argument of send, and is this one.
function __tavus_console_kind
    set -l given (__tavus_console_arguments)
    set -l kinds __KINDS__
    test "$given[-1]" = $argv[1]
    or return 1
    test (count $given) = 1
    or begin
        test (count $given) = 2
        and not contains -- $given[1] $kinds
    end
end

# Whether KIND can come next.
function __tavus_console_needs_kind
    set -l given (__tavus_console_arguments)
    test (count $given) = 0
    or begin
        test (count $given) = 1
        and not contains -- $given[1] __KINDS__
    end
end

complete -c tavus-console -f
"""


def script(commands: list[CommandShape]) -> str:
    """The script, for the commands of ``shapes``."""
    kinds = next(one.kinds for one in commands if one.kinds)
    groups = [one.path[0] for one in commands if len(one.path) == 1 and children(commands, one.path)]
    taking = {
        name for one in commands for option in one.options if option.takes_value for name in option.names
    }
    filled = {"GROUPS": groups, "TAKING": sorted(taking), "TARGETS": TARGET_WORDS, "KINDS": kinds}
    head = _HEAD.replace("tavus-console", PROGRAM)
    for name, words in filled.items():
        head = head.replace(f"__{name}__", " ".join(words))
    lines = [line for command in commands for line in _lines(command, children(commands, command.path))]
    return head + "\n".join(lines) + "\n"


def _lines(command: CommandShape, below: list[CommandShape]) -> Iterator[str]:
    at = f"__tavus_console_at {' '.join(command.path)}".rstrip()
    for option in command.options:
        yield _complete(at, f"{_flags(option)} -d {_quoted(option.help)}")
    if below:
        for child in below:
            yield _complete(at, f"-a {child.path[-1]} -d {_quoted(child.help)}")
        return
    if command.kinds is not None:
        yield _complete(f"{at}; and __tavus_console_nth 0", _offer((TARGETS,)))
        for kind, words in command.kinds.items():
            about = _quoted(COMMANDS[kind].help)
            yield _complete(f"{at}; and __tavus_console_needs_kind", f"-a {kind} -d {about}")
            if words:
                yield _complete(f"{at}; and __tavus_console_kind {kind}", _offer(words))
        return
    for place, offer in enumerate(command.arguments):
        every = command.repeats and place == len(command.arguments) - 1
        if offer:
            yield _complete(at if every else f"{at}; and __tavus_console_nth {place}", _offer(offer))


def _complete(when: str, what: str) -> str:
    return f"complete -c {PROGRAM} -n '{when}' {what}"


def _flags(option: Option) -> str:
    flags = " ".join(f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}" for one in option.names)
    return f"{flags} -r {_offer(option.offer)}".rstrip() if option.takes_value else flags


def _offer(offer: Offer) -> str:
    """Options of ``complete``; without -F no files are offered, because of the ``complete -f`` at the top."""
    asked = {
        TARGETS: "(__tavus_console_targets)",
        IDS: "(__tavus_console_ids)",
        FOLDERS: "(__fish_complete_directories)",
    }
    words = " ".join(asked.get(one, one) for one in offer if one not in (FILES, LIST))
    if LIST in offer:
        words = f"(__tavus_console_list {words})"
    return " ".join([*(["-F"] if FILES in offer else []), *([f"-a '{words}'"] if words else [])])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
