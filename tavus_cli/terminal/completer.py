"""Tab completion: shows the words that a function returns in prompt_toolkit's menu."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

Words = Callable[[str], Iterable[tuple[str, str]]]

_CURRENT_WORD = re.compile(r"\S*\Z")


class CommandCompleter(Completer):
    """Completes the word before the cursor, which reaches back to the last blank.

    ``words`` takes the whole text before the cursor and yields candidates for that word, each with a
    description ("" for none). Candidates that do not begin with the word are left out, ignoring case, so it
    may yield all of them. A single match is followed by a blank, as in a shell. Only the first word is
    completed without Tab: the completion that prompt_toolkit starts after a letter may come after Tab has
    completed the word.
    """

    def __init__(self, words: Words) -> None:
        self._words = words

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        match = _CURRENT_WORD.search(before)
        word = match.group() if match else ""
        if word != before and not complete_event.completion_requested:
            return
        known = [one for one in self._words(before) if one[0].casefold().startswith(word.casefold())]
        blank = " " if len(known) == 1 else ""
        for candidate, description in known:
            yield Completion(candidate + blank, start_position=-len(word), display_meta=description or None)
