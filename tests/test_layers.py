"""Imports go down only, heavy ones come late and in one place, and the pure folders stay pure."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tavus_cli
from tavus_cli.settings.table import commented
from tests.kits.program import unmeasured

PACKAGE = Path(tavus_cli.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MANUAL = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
TABLE = MANUAL.partition("| folder | its one job |")[2].partition("\n\n")[0]
LAYERS = re.findall(r"^\| `(\w+)/?` \|", TABLE, re.M)  # from the top down
PURE = ("protocol", "language", "views")
LATE = {
    "wcwidth",
    "jmespath",
    "rich",
    "jinja2",
    "msgspec",
    "regex",
}  # what the pure folders may import inside a function
WORLD = {"asyncio", "datetime", "io", "os", "pathlib", "random", "socket", "subprocess", "threading", "time"}
_NO_CLOCK = {
    ("protocol/wire.py", "datetime.UTC"),
    ("protocol/wire.py", "datetime.datetime"),
}  # reads ISO 8601
# What there is one of for each event is a Struct: a tenth of a replay's instructions.
_STRUCTS = {
    ("protocol/events.py", "msgspec"),
    *((f"protocol/{name}.py", "msgspec.Struct") for name in ("entries", "turns", "conversation")),
}
HEAVY = ("daily", "prompt_toolkit", "rich", "httpx", "asyncio", "jmespath", "typer")


def part_of(path: Path) -> str:
    """The folder or file below the package: "protocol", "cli"."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, late: bool = True) -> Iterator[str]:
    """Full names of what a file imports; without ``late`` only those at module level."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{_absolute(node, path)}.{alias.name}" for alias in node.names)
        elif late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    if node.level == 0:
        assert node.module is not None
        return node.module
    assert node.level == 1, f"{path}: only siblings are imported by a relative name"
    folder = ".".join(path.relative_to(PACKAGE.parent).parts[:-1])
    return f"{folder}.{node.module}" if node.module else folder


def own(name: str) -> str | None:
    """The part of our package that an import is of; None for others and for the package itself."""
    parts = name.split(".")
    return parts[1] if parts[0] == "tavus_cli" and len(parts) > 1 and parts[1] in LAYERS else None


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_folder_stands_in_the_table_and_no_other() -> None:
    assert sorted(LAYERS) == sorted({part_of(path) for path in FILES} - {"__init__"})
    assert len([path for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]) <= 4


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_go_down_only(path: Path) -> None:
    part = part_of(path)
    for name in imports(path):
        other = own(name)
        if other is None or other == part:
            continue
        assert part != "__init__", f"the package itself imports {name}"
        assert LAYERS.index(other) > LAYERS.index(part), f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) == "commands"], ids=named)
def test_no_command_imports_another(path: Path) -> None:
    command = path.relative_to(PACKAGE / "commands").parts[0]
    for name in imports(path):
        if name.startswith("tavus_cli.commands."):
            assert name.split(".")[2] == command, f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in PURE], ids=named)
def test_pure_folders(path: Path) -> None:
    for name in imports(path, late=False):
        top = name.split(".")[0]
        if (named(path), name) not in _STRUCTS:
            assert top in sys.stdlib_module_names | {"tavus_cli"}, f"{name} at module level"
    for name in imports(path):
        top = name.split(".")[0]
        if (named(path), name) in _NO_CLOCK:
            continue
        assert top not in WORLD, f"{name}: clocks, files and threads are not for the core"
        assert top in sys.stdlib_module_names | {"tavus_cli"} | LATE, f"{name} is not for the core"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("daily", "rooms/daily/client.py"),
        ("prompt_toolkit", "terminal/"),
        ("httpx", ("api/client.py", "tools/http.py")),
    ],
)
def test_heavy_packages_have_their_place(name: str, place: str | tuple[str, ...]) -> None:
    for path in FILES:
        if any(one.split(".")[0] == name for one in imports(path)):
            assert named(path).startswith(place)


@pytest.mark.parametrize(
    "module",
    [
        "tavus_cli.protocol.conversation",
        "tavus_cli.protocol.interactions",
        "tavus_cli.language.commands",
        "tavus_cli.language.selection",
        "tavus_cli.views.line",
        "tavus_cli.views.jsonl",
    ],
)
def test_the_core_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert module in loaded.split()
    assert not set(HEAVY) & set(loaded.split())


# What a start must not wait for: each of these takes a millisecond or more.
SLOW = {
    *("msgspec", "typing_extensions", "decimal", "regex", "jmespath", "prompt_toolkit", "httpx", "rich"),
    *("ctypes", "wave", "hashlib", "dataclasses"),
}
REST = {
    *("tavus_cli.api.client", "tavus_cli.api.credentials", "tavus_cli.session.audio"),
    *(f"tavus_cli.report.{name}" for name in ("otlp", "redact", "timeline")),
}
UNUSED = {
    *REST,
    *(f"tavus_cli.protocol.{name}" for name in ("conversation", "ordering", "events")),
    "tavus_cli.language.selection",
}
# Daily's module, but for a client that ends the process where it would join.
DAILY = """
import os, sys, types
def join(*_, **__):
    print(*sys.modules, flush=True)
    os._exit(0)
class CallClient:
    join = staticmethod(join)
    def __init__(self, event_handler): pass
    def __getattr__(self, name): return lambda *_, completion=lambda *_: None, **__: completion(None, None)
class Daily:
    init = staticmethod(lambda **_: None)
EventHandler, LogLevel = object, types.SimpleNamespace(Off=0)
"""


def loaded_by(*words: str, before: str = "", **changes: str) -> set[str]:
    """The modules that a command has imported at its end; with ``before``, where a module of ours ends it."""
    program = (
        f"{before}\nimport sys; from tavus_cli.cli import run_command;"
        " from tavus_cli.session.environment import Environment;"
        f" assert run_command({list(words)!r}, Environment()) == 0; print(); print(*sys.modules)"
    )
    environment = {**unmeasured(), **changes}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    return set(done.stdout.splitlines()[-1].split())


def test_joining_waits_for_nothing_that_is_not_needed(tmp_path: Path) -> None:
    """Every module that ``send`` imports before it joins slows each start (bench live)."""
    (tmp_path / "daily.py").write_text(DAILY)
    (tmp_path / "config.toml").write_text(commented())  # as ``config edit`` makes it: comments alone
    before = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
    loaded = loaded_by(
        *("send", "https://tavus.daily.co/r", "respond", "Hi"),
        before=before,
        TAVUS_CONSOLE_RUNTIME=str(tmp_path),
        TAVUS_CONSOLE_CONFIG=str(tmp_path / "config.toml"),
    )
    assert {"daily", "tavus_cli.rooms.daily.room"} <= loaded
    assert sorted(loaded & (SLOW | UNUSED | {"tomllib"})) == []


def test_a_sending_that_waits_for_nothing_does_not_import_the_core() -> None:
    assert sorted(loaded_by("send", "sim:?speed=max", "respond", "Hi") & (SLOW | UNUSED)) == []


@pytest.mark.parametrize("words", ["--version", "--help", "tail --help", "send --help"])
def test_saying_what_there_is_imports_little(words: str) -> None:
    assert sorted(loaded_by(*words.split()) & (SLOW | UNUSED | {"asyncio", "daily"})) == []


@pytest.mark.parametrize(
    "words",
    [
        "tail sim:?speed=max",
        "replay tests/samples/events.jsonl",
        "join sim:?speed=max",
        "send sim:?speed=max respond Hi --wait reply",
    ],
)
def test_what_is_shown_needs_no_more_than_events(words: str) -> None:
    loaded = loaded_by(*words.split())
    events = {"msgspec", "typing_extensions", "decimal"}
    assert sorted(loaded & (SLOW - events | REST | {"daily"})) == []
