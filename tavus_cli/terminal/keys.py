"""The keys that differ from prompt_toolkit's: Ctrl-C, Enter over the completion menu, Alt-Enter, a paste,
Ctrl-Z, and the way to the user's editor, Ctrl-X Ctrl-E, in vi's navigation mode also v.

Enter itself and Ctrl-D on an empty line are prompt_toolkit's own bindings; ``prompt`` decides what Enter does
with the text. Ctrl-C comes as a key, because the terminal is in raw mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import CompleteEvent, Completion, get_common_complete_suffix
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, completion_is_selected, has_focus, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys


def bindings(
    on_idle_interrupt: Callable[[], None],
    on_edit: Callable[[], None],
    on_suspend: Callable[[], None],
    on_keys: Mapping[str, Callable[[], None]],
) -> KeyBindings:
    """The bindings; ``on_idle_interrupt`` is called for Ctrl-C on an empty line.

    ``on_keys`` are the caller's keys, by prompt_toolkit's names ("f1"). A key that is a single character
    ("?") acts only on an empty line; elsewhere it is text.
    """
    keys = KeyBindings()
    for key, action in on_keys.items():
        _bind(keys, key, action)
    typing = has_focus(DEFAULT_BUFFER)
    keys.add("tab", filter=typing)(_complete)
    keys.add(Keys.BracketedPaste)(_paste)

    @keys.add("c-c", filter=typing)
    def interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            on_idle_interrupt()

    @keys.add("enter", filter=typing & completion_is_selected)
    def take_completion(event: KeyPressEvent) -> None:
        # Choosing a word from the menu must not also send the line, which cannot be undone.
        event.current_buffer.complete_state = None

    @keys.add("escape", "enter", filter=typing)
    def newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-x", "c-e", filter=typing)
    @keys.add("v", filter=typing & vi_navigation_mode)
    def edit(event: KeyPressEvent) -> None:
        on_edit()

    @keys.add("c-z")
    def suspend(event: KeyPressEvent) -> None:
        on_suspend()

    return keys


def _paste(event: KeyPressEvent) -> None:
    # Copied lines end with a newline, which would start an empty line here.
    text = event.data.replace("\r\n", "\n").replace("\r", "\n")
    event.current_buffer.insert_text(text.rstrip("\n"))


def _complete(event: KeyPressEvent) -> None:
    """Complete at once, whether or not the automatic menu is open yet."""
    buffer = event.current_buffer
    if buffer.complete_state is not None and buffer.complete_state.completions:
        buffer.complete_next()
        return
    found = _completions(buffer)
    if len(found) == 1:
        buffer.delete_before_cursor(-found[0].start_position)
        buffer.insert_text(found[0].text)
    elif found:
        buffer.insert_text(get_common_complete_suffix(buffer.document, found))
        # ``start_completion`` would do nothing while the menu for the last letter is being made.
        buffer.complete_state = CompletionState(buffer.document, _completions(buffer))


def _completions(buffer: Buffer) -> list[Completion]:
    asked = CompleteEvent(completion_requested=True)
    return list(buffer.completer.get_completions(buffer.document, asked))


def _bind(keys: KeyBindings, key: str, action: Callable[[], None]) -> None:
    empty = Condition(lambda: len(key) > 1 or not get_app().current_buffer.text)

    @keys.add(key, filter=has_focus(DEFAULT_BUFFER) & empty)
    def act(event: KeyPressEvent) -> None:
        action()
