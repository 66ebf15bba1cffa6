"""What is typed at the prompt: completions of it, and input that is probably a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tavus_cli.language.completion import complete
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.views.safe import safe

LONG_TEXT = 200  # a text at least this long that is sent twice is probably a mistake
_BARE = {"exit": "quit", "quit": "quit", "help": "help"}


def bare_command(line: str) -> str | None:
    """The command that a bare word was probably meant as: "exit" is /quit."""
    return _BARE.get(line.strip().lower())


class Doubts:
    """Call ``about`` with each action before it is sent: it gives the warnings."""

    def __init__(self) -> None:
        self._sent_text: str | None = None

    def about(self, action: object, conversation: Conversation, objectives: Iterable[str]) -> Iterator[str]:
        if not isinstance(action, Interaction) or not isinstance(action.properties, dict):
            return
        call, objective = (action.properties.get(name) for name in ("tool_call_id", "objective_name"))
        if call is not None and call not in conversation.turns.open_calls:
            yield f"warning: tool call {call} is not open; /tools lists all calls"
        if objective is not None and objective not in objectives:
            yield f"warning: objective {objective} has not been seen here"
        text = action.properties.get("text")
        if isinstance(text, str) and len(text) >= LONG_TEXT:
            if text == self._sent_text:
                yield "warning: you just sent the same long text"
            self._sent_text = text


def completions(
    text: str, conversation: Conversation, objectives: Iterable[str], *, recorded: bool
) -> Iterator[tuple[str, str]]:
    """Completions with descriptions: from the table, and plain words from the conversation."""
    yield from complete(text, recorded)
    name, _, rest = text.partition(" ")
    if " " in rest:
        return
    if name == "/tool-result":
        for call in conversation.turns.open_calls.values():
            if _plain(call.id):
                yield call.id, safe(call.name)
    elif name == "/confirm":
        for objective in objectives:
            if _plain(objective):
                yield objective, "an objective"


def _plain(word: str) -> bool:
    """Whether remote text may be offered as a completion: it must be one word of visible characters."""
    return word.isprintable() and " " not in word and len(word) <= 100
