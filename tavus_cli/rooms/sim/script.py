"""Reading the script of the simulated PAL from TOML, and the ``sim:`` spec (docs/sim.md).

Every mistake is a UsageError of one line, "FILE:LINE: …", that names the closest valid key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tavus_cli.errors import UsageError, instead
from tavus_cli.language.patterns import OwnPattern, Pattern
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.rooms.sim.faults import FaultRates
from tavus_cli.rooms.sim.model import END_CALL, Objective, Options, SimReply, SimScript, Step, Timing, Tool
from tavus_cli.settings.toml_lines import KeyPath, Toml, as_json, read_text, unreadable

DEFAULT_SCRIPT = Path(__file__).with_name("default.toml")
PROBABILITIES = ("reorder", "duplicate", "gap", "late", "drop")

# -- values ----------------------------------------------------------------------------------------


class _Bad(Exception):
    """What a value must be, as words after "must be"; ``key`` is set for a key inside the value."""


_Type = Callable[[Any], Any]  # returns the value to use, or raises _Bad


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Bad("a string")
    return value


def _number(low: float, high: float, *, above: bool = False) -> _Type:
    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high or (above and value == low):
            raise _Bad(f"a number {'above' if above else 'from'} {low:g} {'up ' if above else ''}to {high:g}")
        return float(value)

    return check


_SECONDS = _number(0, 86_400)
_INTERVAL = _number(0.01, 86_400)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Bad("true or false")
    return value


def _one_of(*words: str) -> _Type:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise _Bad("one of " + ", ".join(words))
        return value

    return check


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise _Bad("a string or a list of strings")
    return tuple(texts)


def _regex(value: Any) -> Pattern:
    if not isinstance(value, str):
        raise _Bad("a regular expression in a string")
    try:
        return Pattern(value, ignore_case=True)
    except UsageError as error:
        reason = str(error).rpartition("is not a valid regular expression: ")[2]
        raise _Bad(f"a regular expression: {reason}") from None


def _json(value: Any) -> Any:
    try:
        return as_json(value)
    except ValueError as error:
        raise _Bad(str(error)) from None


def _object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise _Bad("a table")
    return _json(value)


def _arguments(value: Any) -> Any:
    if not isinstance(value, dict | str):
        raise _Bad("a table, or a string that holds JSON")
    return _json(value)


def _objects(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _Bad("a list of tables")
    return _json(value)


# A step has exactly one of these keys, and may have those that go with it.
_STEPS: dict[str, tuple[_Type, dict[str, _Type]]] = {
    "user": (_string, {}),
    "say": (_string, {}),
    "tool": (_string, {"arguments": _arguments}),
    "perception": (
        _string,
        {"modality": _one_of("vision", "audio"), "arguments": _arguments, "frames": _objects},
    ),
    "analysis": (_string, {}),
    "guardrail": (_string, {"reason": _string}),
    "rag": (_texts, {}),
    "objective": (
        _string,
        {"state": _one_of("activated", "pending", "completed"), "variables": _object},
    ),
    "event": (_string, {"properties": _object}),
    "raw": (_json, {}),
    "shutdown": (_string, {}),
}
_FIELDS: dict[str, dict[str, _Type]] = {
    "": {
        "name": _string,
        "replica_id": _string,
        "greeting": _string,
        "context": _string,
        "default": _texts,
        "respond_waits": _boolean,
        "shutdown_after": _SECONDS,
        "shutdown_reason": _string,
    },
    "timing": {
        "words_per_minute": _number(1, 100_000),
        "think": _SECONDS,
        "jitter": _number(0, 1),
        "join": _SECONDS,
        "lag": _SECONDS,
        "heartbeat": _INTERVAL,
    },
    "reply": {"match": _regex, "say": _texts, "delay": _SECONDS, "tool": _string, "arguments": _arguments},
    "tools": {
        "arguments": _arguments,
        "on_resolve": _one_of("generate_response", "add_to_context", "fire_and_forget"),
        "say": _string,
        "error": _string,
        "timeout": _SECONDS,
        "timed_out": _string,
        "id": _boolean,
    },
    "objective": {
        "name": _string,
        "match": _regex,
        "variables": _object,
        "confirm": _one_of("auto", "manual"),
    },
    "faults": {
        **dict.fromkeys(PROBABILITIES, _number(0, 1)),
        "slow": _number(0, 60),
        "leave": _SECONDS,
    },
}
_TOP = [*_FIELDS[""], "timing", "reply", "tools", "objective", "at", "faults"]

# -- reading ---------------------------------------------------------------------------------------


def default_script() -> SimScript:
    """The script of ``sim``."""
    return _Reader(Toml(read_text(DEFAULT_SCRIPT), str(DEFAULT_SCRIPT)), own=True).script()


def load_script(path: str | Path) -> SimScript:
    """Raises UsageError."""
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return parse_script(text, str(path))


def parse_script(text: str, file: str) -> SimScript:
    """``file`` is its name in messages. Raises UsageError."""
    return _Reader(Toml(text, file)).script()


class _Reader:
    """``own``: the script comes with the program, and its patterns are known to be valid and quick."""

    def __init__(self, toml: Toml, *, own: bool = False) -> None:
        self._data = toml.data
        self._wrong = toml.wrong
        self._own = own

    def script(self) -> SimScript:
        data = self._data
        values = self._values(data, (), _FIELDS[""], _TOP)
        tables = {key: self._table(data, key) for key in ("timing", "faults", "tools")}
        tools = {
            name: Tool(
                name,
                **self._values(
                    self._table(tables["tools"], name, ("tools",)), ("tools", name), _FIELDS["tools"]
                ),
            )
            for name in tables["tools"]
        }
        self._tools = [*tools, END_CALL]
        return SimScript(
            **values,
            timing=Timing(**self._values(tables["timing"], ("timing",), _FIELDS["timing"])),
            faults=FaultRates(**self._values(tables["faults"], ("faults",), _FIELDS["faults"])),
            tools=tools,
            replies=tuple(self._reply(one, path) for one, path in self._array(data, "reply")),
            objectives=tuple(self._objective(one, path) for one, path in self._array(data, "objective")),
            at=tuple(self._step(one, path) for one, path in self._array(data, "at")),
        )

    def _reply(self, data: dict[str, Any], path: KeyPath) -> SimReply:
        values = self._values(data, path, _FIELDS["reply"], [*_FIELDS["reply"], "then"])
        if "match" not in values:
            raise self._wrong(path, '"match" is missing in [[reply]]; what no other matches gets "default"')
        self._known_tool(values.get("tool"), (*path, "tool"))
        steps = tuple(self._step(one, at) for one, at in self._array(data, "then", path))
        return SimReply(**values, then=steps)

    def _objective(self, data: dict[str, Any], path: KeyPath) -> Objective:
        values = self._values(data, path, _FIELDS["objective"])
        for key in ("name", "match"):
            if key not in values:
                raise self._wrong(path, f'"{key}" is missing in [[objective]]')
        return Objective(**values)

    def _step(self, data: dict[str, Any], path: KeyPath) -> Step:
        """Read a step: what to do is its one key of _STEPS."""
        kinds = [key for key in data if key in _STEPS]
        if not kinds:
            more = {key: kind for kind, (_, others) in _STEPS.items() for key in others}
            for key in data:
                if key in more:
                    raise self._wrong((*path, key), f'"{key}" goes with "{more[key]}", which is missing')
            self._values(data, path, {"after": _SECONDS}, ["after", *_STEPS])
            raise self._wrong(path, "nothing to do: give one of " + ", ".join(_STEPS))
        if len(kinds) > 1:
            raise self._wrong((*path, kinds[1]), f'"{kinds[0]}" and "{kinds[1]}" need a table each')
        kind = kinds[0]
        what, others = _STEPS[kind]
        values = self._values(data, path, {"after": _SECONDS, kind: what, **others})
        if kind == "tool":
            self._known_tool(values[kind], (*path, kind))
        return Step(kind, values.pop(kind), after=values.pop("after", 0.0), more=values)

    def _known_tool(self, name: str | None, path: KeyPath) -> None:
        if name and name not in self._tools:
            raise self._wrong(path, f"no [tools.{name}] in this file" + _instead(name, self._tools))

    def _values(
        self, data: dict[str, Any], path: KeyPath, types: Mapping[str, _Type], known: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The fields that are present, checked; ``known`` are all valid keys, if some are read elsewhere."""
        known = list(known) or list(types)
        out: dict[str, Any] = {}
        for key, value in data.items():
            if key not in known:
                raise self._wrong((*path, key), f'unknown key "{key}"' + _instead(key, known))
            if key in types:
                check = OwnPattern if self._own and types[key] is _regex else types[key]
                try:
                    out[key] = check(value)
                except _Bad as bad:
                    raise self._wrong((*path, key), f'"{key}" must be {bad}') from None
        return out

    def _table(self, data: dict[str, Any], key: str, path: KeyPath = ()) -> dict[str, Any]:
        table = data.get(key, {})
        if not isinstance(table, dict):
            raise self._wrong((*path, key), f'"{key}" must be a table')
        return table

    def _array(
        self, data: dict[str, Any], key: str, path: KeyPath = ()
    ) -> list[tuple[dict[str, Any], KeyPath]]:
        array = data.get(key, [])
        if not isinstance(array, list) or not all(isinstance(one, dict) for one in array):
            raise self._wrong((*path, key), f'"{key}" must be an array of tables: write [[{key}]]')
        return [(one, (*path, key, number)) for number, one in enumerate(array)]


def _instead(word: str, known: Iterable[str]) -> str:
    if word in _TOP:
        return "; it belongs to the top of the file, above the first [table]"
    return instead(word, known)


# -- the spec --------------------------------------------------------------------------------------


def _speed(value: str) -> float | None:
    return None if value == "max" else float(_number(0, 1_000, above=True)(_float(value)))


def _float(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _Bad("a number") from None


def _whole(value: str) -> int:
    if not re.fullmatch(r"\d{1,12}", value, re.ASCII):
        raise _Bad("a whole number")
    return int(value)


_PARAMETERS: dict[str, Callable[[str], Any]] = {
    "seed": _whole,
    "speed": _speed,
    "rate": lambda value: _number(0, 1e6)(_float(value)),
    "burst": _whole,
    "events": _whole,
}


def parse_spec(spec: str) -> tuple[SimScript, Options]:
    """ "sim", "sim:FILE.toml", "sim:?seed=7&reorder=0.2", "sim:FILE.toml?speed=max". Raises UsageError."""
    if not is_simulated(spec):
        raise UsageError(f'"{spec}" is not a simulated room: write sim, sim:FILE.toml or sim:?seed=7')
    rest = spec.partition(":")[2]
    path, mark, query = rest.rpartition("?")
    script = load_script(file) if (file := path if mark else rest) else default_script()
    values: dict[str, Any] = {}
    rates: dict[str, float] = {}
    for key, text in parse_qsl(query if mark else "", keep_blank_values=True):
        check = _PARAMETERS.get(key)
        try:
            if check is not None:
                values[key] = check(text)
            elif key in _FIELDS["faults"]:
                rates[key] = _FIELDS["faults"][key](_float(text))
            else:
                known = [*_PARAMETERS, *FaultRates._fields]
                raise UsageError(f'sim: unknown parameter "{key}"' + _instead(key, known))
        except _Bad as bad:
            raise UsageError(f'sim: {key} must be {bad}, not "{text}"') from None
    return script, Options(**values, faults=script.faults._replace(**rates))
