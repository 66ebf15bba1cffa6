"""Where in a TOML text its keys stand, which ``tomllib`` does not tell."""

from __future__ import annotations

import re

KeyPath = tuple[str | int, ...]  # ("reply", 1, "say"): the key ``say`` of the second [[reply]]

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def lines_of_keys(text: str) -> dict[KeyPath, int]:
    """The line of each table and of each key at the beginning of a line; not of those in inline tables.

    Text inside long strings is passed over.
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if line.count(quote) % 2 else quote
            continue
        if header := _HEADER.match(line):
            table = ()
            for part in (names := _parts(header[2])):
                table = (*table, part)
                if len(header[1]) == 2 and part is names[-1]:
                    counts[table] = counts.get(table, -1) + 1
                    lines.setdefault(table, number)
                if table in counts:
                    table = (*table, counts[table])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            names = _parts(key[1])
            for end in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:end]), number)
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                quote = mark
    return lines


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]
