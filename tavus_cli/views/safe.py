"""Making remote text safe for a terminal.

These become visible: C0 except tab, DEL, C1, lone surrogates, bidi controls, line and paragraph separators,
the byte order mark and tag characters. Joiners and variation selectors stay, as emoji and scripts need them.
"""

from __future__ import annotations

import re

_UNSAFE = (
    "\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f"
)
# Compiled and cached by ``re`` when first needed: most runs meet no such text.
_PATTERN = f"[{_UNSAFE}]"
_IN_JSON = f"[\x09{_UNSAFE}]"
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}


def safe(text: str) -> str:
    """The text on one line, harmless to a terminal: ESC as "␛", a newline as "␊", others as "⟨U+202E⟩"."""
    if text.isprintable():
        return text
    return re.sub(_PATTERN, _visible, text)


def flat(text: str) -> str:
    """Safe, with spaces for tabs, whose width depends on the column."""
    return safe(text).replace("\t", " ")


def safe_json(text: str) -> str:
    """JSON text with the same value, harmless to a terminal: inside strings by \\u escapes.

    The text must be compact or on one line: a control character between tokens becomes a space.
    """
    if text.isprintable():
        return text
    return re.sub(_IN_JSON, _escaped, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _PICTURES.get(code) or f"⟨U+{code:04X}⟩"


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return " "  # JSON forbids it inside strings, so it is between tokens
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
