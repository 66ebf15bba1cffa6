"""Completion of typed commands, with descriptions. All words come from the table of commands."""

from __future__ import annotations

from tavus_cli.language.commands import COMMANDS, KINDS, LANGUAGES, TYPES, applying
from tavus_cli.protocol.catalogue import CATALOGUE, short_name

_FAMILY_OF = {short_name(name): kind.family for name, kind in CATALOGUE.items()}
_MEANINGS = {  # families of event types, and other words
    "utterance": "what was said, in full",
    "partial": "speech as it grows",
    "started": "someone starts speaking",
    "stopped": "someone stops speaking",
    "interrupted": "the PAL was interrupted",
    "tool_call": "a tool call that waits for an answer",
    "analysis": "what the PAL sees and hears",
    "objective": "a goal of the conversation",
    "guardrail": "a guardrail was triggered",
    "rag": "documents were looked up",
    "ready": "the PAL has joined",
    "present": "a heartbeat",
    "shutdown": "the conversation ends",
    "participant": "someone joined or left",
    "interaction": "sent by another participant",
    "webhook": "an event that webhooks carry too",
    "pause": "how long a pause ends the user's turn",
    "interrupt": "how easily the user interrupts",
    "append": "add to the context",
    "overwrite": "replace the context",
}
_WHEN = {
    "role=pal": "only events of the PAL",
    "role=user": "only events of the user",
    "after": "wait this long first, e.g. 300ms",
    "as": "name the event, for use in COMMAND",
}


def complete(text: str, recorded: bool = False) -> list[tuple[str, str]]:
    """Completions of the word before the cursor, with descriptions: ("/raw", "send any …").

    ``recorded``: of the commands for a recording.
    """
    if not text.startswith("/") or text.startswith("//"):
        return []
    name, space, rest = text.partition(" ")
    if not space:
        return [
            (f"/{row.name}", f"{group:<7}  {row.help}")
            for group, row in applying(recorded)
            if f"/{row.name}".startswith(name)
        ]
    row = COMMANDS.get(name[1:])
    if row is None:
        return []
    if row.name == "when":
        return _complete_when(rest)
    *before, word = rest.split(" ")
    words: tuple[str, ...] = ()
    if row.name == "copy" and before == ["as"]:
        words = LANGUAGES
    elif not before or row.words is TYPES:
        words = tuple(one.name for _, one in applying(recorded)) if row.name == "help" else row.words
    if word.startswith("-"):
        words += tuple(row.options)
    return [(one, row.options.get(one) or _meaning(one)) for one in words if one.startswith(word)]


def _complete_when(rest: str) -> list[tuple[str, str]]:
    """Completions of /when: the event, then conditions and the command, then the command's arguments."""
    _, slash, command = rest.partition(" /")
    if slash:
        sent = {f"/{kind}" for kind in KINDS}
        return [one for one in complete(f"/{command}") if " " in command or one[0] in sent]
    *before, word = rest.split(" ")
    commands = {f"/{kind}": COMMANDS[kind].help for kind in KINDS}
    known = _WHEN | commands if before else {one: _meaning(one) for one in TYPES}
    return [one for one in known.items() if one[0].startswith(word)]


def _meaning(word: str) -> str:
    """The description of a word in the completion menu; "" if it needs none."""
    if word in COMMANDS:
        return COMMANDS[word].help
    which = word.partition("=")[0]
    return _MEANINGS.get(which) or _MEANINGS.get(_FAMILY_OF.get(word, ""), "")
