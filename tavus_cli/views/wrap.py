"""Wrapping long lines on a terminal at blanks, with a hanging indent under their text.

Only for terminals: a pipe gets whole lines. A word longer than a row, such as a URL, is left to the terminal,
which breaks it and still copies it as a whole.
"""

from __future__ import annotations

import re

from tavus_cli.views.theme import RESET
from tavus_cli.views.width import fit, is_narrow, width

ROOM = 40  # columns for the text; with fewer it hangs under the beginning of the line instead
SHORT_INDENT = 4

_SGR = re.compile(r"(\x1b\[[0-9;]*m)")
_WORD = re.compile(r" +|[^ ]+")


def wrapped(line: str, columns: int, text_at: int) -> list[str]:
    """A safe line, styled or not, as rows of ``columns``; its text begins at ``text_at``.

    A style continues after a break, but is not painted on the indent.
    """
    if len(line) <= columns // 2 or width(_SGR.sub("", line)) <= columns:
        return [line]
    indent = text_at if columns - text_at >= ROOM else SHORT_INDENT
    if columns < 2 * SHORT_INDENT:
        return [line]
    return _Rows(columns, indent, text_at).of(line)


def _end_of_word(text: str, start: int) -> int:
    match = _WORD.match(text, start)
    return match.end() if match else len(text)


class _Rows:
    """One line taken apart."""

    def __init__(self, columns: int, indent: int, text_at: int) -> None:
        self._columns = columns
        self._indent = indent
        self._rows: list[str] = []
        self._row: list[str] = []
        self._at = 0  # the column that is next
        self._head = text_at  # columns before which rows are not broken
        self._styles = ""  # SGR sequences in effect

    def of(self, line: str) -> list[str]:
        for number, piece in enumerate(_SGR.split(line)):
            if number % 2:
                self._styles = "" if piece == RESET else self._styles + piece
                self._row.append(piece)
            elif is_narrow(piece):
                self._narrow(piece)
            else:
                for word in _WORD.findall(piece):
                    self._word(word)
        self._rows.append("".join(self._row))
        return self._rows

    def _narrow(self, text: str) -> None:
        """Take as many words as fit into the row."""
        start = 0
        while len(text) - start > (room := self._columns - self._at):
            blank = text.rfind(" ", start + max(0, self._head - self._at), start + max(0, room) + 1)
            if blank >= 0:
                self._put(text[start:blank].rstrip(), blank - start)
                self._break()
                start = blank + 1
            else:
                word = text[start : _end_of_word(text, start)]
                self._word(word)
                start += len(word)
            if self._at == self._indent:  # a row does not begin with blanks
                start = len(text) - len(text[start:].lstrip(" "))
        self._put(text[start:], len(text) - start)

    def _word(self, word: str) -> None:
        """Add a word, or blanks, of any script."""
        wide = width(word)
        if self._at + wide <= self._columns:
            if word[:1] != " " or self._at != self._indent or not self._rows:
                self._put(word, wide)
        elif word[:1] == " ":
            self._break()
        elif self._at > self._indent and self._at >= self._head and wide <= self._columns - self._indent:
            self._break()
            self._put(word, wide)
        elif word.isascii():  # the terminal breaks it
            self._put(word, (self._at + wide - 1) % self._columns + 1 - self._at)
        else:  # scripts without blanks
            self._in_parts(word, wide)

    def _in_parts(self, word: str, wide: int) -> None:
        while wide > (room := self._columns - self._at):
            part = fit(word, room)[:-1] or (word[0] if self._at == self._indent else "")
            self._put(part, 0)
            self._break()
            word = word[len(part) :]
            wide = width(word)
        self._put(word, wide)

    def _put(self, text: str, wide: int) -> None:
        self._row.append(text)
        self._at += wide

    def _break(self) -> None:
        self._row.append(RESET if self._styles else "")
        self._rows.append("".join(self._row))
        self._row = [" " * self._indent, self._styles]
        self._at = self._indent
        self._head = 0
