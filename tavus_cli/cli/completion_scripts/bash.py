"""The completion script for bash: 3.2, which macOS has, and newer."""

from __future__ import annotations

from collections.abc import Iterable

from tavus_cli.cli.completion_scripts.shapes import PROGRAM, TARGET_WORDS, CommandShape, Offer

_SCRIPT = r"""# bash completion for tavus-console. Made from its command tree; do not edit.

# Sets words: what is typed up to the cursor. COMP_WORDS has it cut at : and = too.
_tavus_console_split() {
    local line=${COMP_LINE:0:COMP_POINT} blank piece index
    words=()
    for ((index = 0; index <= COMP_CWORD; index++)); do
        piece=${COMP_WORDS[index]}
        blank=${line%%[! $'\t']*}
        line=${line#"$blank"}
        ((index == COMP_CWORD)) && piece=$line
        if [[ $index == 0 || -n $blank ]]; then
            words+=("$piece")
        else
            words[${#words[@]}-1]+=$piece
        fi
        line=${line#"$piece"}
    done
}

# Adds what begins with the current word, without what bash has cut off.
_tavus_console_add() {
    [[ $1 == "$current"* ]] || return 0
    local whole=$prefix$1
    COMPREPLY+=("${whole#"$cut"}")
    case $1 in *[:/=]) compopt -o nospace 2>/dev/null ;; esac
}

_tavus_console_paths() {
    local one whole
    compopt -o filenames 2>/dev/null
    while IFS= read -r one; do
        whole=$prefix$one
        COMPREPLY+=("${whole#"$cut"}")
    done < <(compgen "$1" -- "$current")
}

# Sessions that run here, conversations created here that have not ended, and those with a token kept here.
_tavus_console_ids() {
    local LC_ALL=C one name text state
    local folders=("${XDG_RUNTIME_DIR:-/run/user/$UID}/tavus-console" "/run/user/$UID/tavus-console"
        "${TMPDIR:-/tmp}/runtime-$UID/tavus-console" "$HOME/Library/Caches/TemporaryItems/tavus-console")
    [[ -n ${TAVUS_CONSOLE_RUNTIME:-} ]] && folders=("$TAVUS_CONSOLE_RUNTIME")
    for one in "${folders[@]}"; do
        for name in "$one"/*.sock; do
            name=${name##*/}
            name=${name%.sock}
            [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] && _tavus_console_add "$name"
        done
    done
    for state in "${XDG_STATE_HOME:-$HOME/.local/state}" "$HOME/Library/Application Support"; do
        for one in "$state"/tavus-console/open/*; do
            [[ -f $one ]] || continue
            text=""
            IFS= read -r -n 4096 text < "$one"
            [[ $text =~ \"conversation_id\":\ \"(c[0-9a-z]+)\" ]] && _tavus_console_add "${BASH_REMATCH[1]}"
        done
        for one in "$state"/tavus-console/tokens/*; do
            [[ ${one##*/} =~ ^c[0-9a-z]+$ ]] && _tavus_console_add "${one##*/}"
        done
    done
}

_tavus_console_offer() {
    local one
    for one in "$@"; do
        case $one in
        @files) _tavus_console_paths -f ;;
        @folders) _tavus_console_paths -d ;;
        @ids) _tavus_console_ids ;;
        @list)
            if [[ $current == *,* ]]; then
                prefix+=${current%,*},
                current=${current##*,}
            fi ;;
        @targets)
            if [[ $current == sim:* ]]; then
                prefix+=sim:
                current=${current#sim:}
                _tavus_console_paths -f
            else
                _tavus_console_offer __TARGETS__ @ids
            fi ;;
        *) _tavus_console_add "$one" ;;
        esac
    done
}

# Sets offer for the value of an option; fails for an option that takes none.
_tavus_console_value() {
    case "$1 $2" in
__VALUES__
    *) return 1 ;;
    esac
}

_tavus_console_argument() {
    case "$1 $2" in
__ARGUMENTS__
    esac
}

_tavus_console_options() {
    case $1 in
__OPTIONS__
    esac
}

_tavus_console() {
    local words=() current prefix="" cut="" path="" place="" option="" count=0 index word offer=()
    COMPREPLY=()
    _tavus_console_split
    current=${words[${#words[@]}-1]}
    case $current in
    [\'\"]*) current=${current:1} ;;
    *)
        current=${current//\\/}
        word=${COMP_WORDBREAKS//[!:=]/}
        [[ -n $word ]] && cut=${current%"${current##*[$word]}"} ;;
    esac
    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $option ]]; then
            option=""
        elif [[ $word == -?* ]]; then
            [[ $word != *=* ]] && _tavus_console_value "$path" "$word" && option=$word
        else
            case "$place $word" in
            __PATHS__)
                path="${path:+$path }$word"
                place=$path ;;
            __KINDS__)
                place="send $word"
                count=0 ;;
            *) count=$((count + 1)) ;;
            esac
        fi
    done
    offer=()
    if [[ -n $option ]]; then
        _tavus_console_value "$path" "$option"
    elif [[ $current == --*=* ]]; then
        prefix=${current%%=*}=
        current=${current#*=}
        _tavus_console_value "$path" "${prefix%=}"
    elif [[ $current == -* ]]; then
        _tavus_console_options "$path"
    else
        _tavus_console_argument "$place" "$count"
    fi
    _tavus_console_offer ${offer[@]+"${offer[@]}"}
}
complete -F _tavus_console tavus-console
"""


def script(commands: list[CommandShape]) -> str:
    """The script, for the commands of ``shapes``."""
    filled = {
        "VALUES": _cases(_values(commands)),
        "ARGUMENTS": _cases(_arguments(commands)),
        "OPTIONS": _cases(_options(commands)),
        "PATHS": "|".join(f'"{" ".join(one.path[:-1])} {one.path[-1]}"' for one in commands if one.path),
        "KINDS": "|".join(
            pattern for one in commands for kind in one.kinds or () for pattern in (f'"send {kind}"',)
        ),
        "TARGETS": " ".join(TARGET_WORDS),
    }
    text = _SCRIPT.replace("tavus-console", PROGRAM)
    for name, value in filled.items():
        text = text.replace(f"__{name}__", value)
    return text


def _cases(offers: Iterable[tuple[str, Offer]]) -> str:
    """A branch of a ``case`` for each offer, with all patterns that lead to it."""
    patterns: dict[Offer, list[str]] = {}
    for pattern, offer in offers:
        patterns.setdefault(offer, []).append(pattern)
    return "\n".join(f"    {'|'.join(of)}) offer=({' '.join(offer)}) ;;" for offer, of in patterns.items())


def _values(commands: list[CommandShape]) -> Iterable[tuple[str, Offer]]:
    for command in commands:
        for option in command.options:
            if option.takes_value:
                yield from ((f'"{" ".join(command.path)} {name}"', option.offer) for name in option.names)


def _arguments(commands: list[CommandShape]) -> Iterable[tuple[str, Offer]]:
    for command in commands:
        path = " ".join(command.path)
        if command.kinds is not None:
            yield f'"{path} 0"', command.arguments[0]
            yield f'"{path} 1"', tuple(command.kinds)
            yield from ((f'"{path} {kind} 0"', offer) for kind, offer in command.kinds.items() if offer)
            continue
        for place, offer in enumerate(command.arguments):
            last = place == len(command.arguments) - 1
            if offer:
                yield (f'"{path} "*' if command.repeats and last else f'"{path} {place}"'), offer


def _options(commands: list[CommandShape]) -> Iterable[tuple[str, Offer]]:
    for command in commands:
        names = tuple(name for option in command.options for name in option.names)
        yield f'"{" ".join(command.path)}"', names
