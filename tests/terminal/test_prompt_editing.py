"""Typing at the prompt: paste, new lines, vi's keys, the search of the history, the user's own editor."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input

from tavus_cli.terminal.editor import EditorFailed, edited
from tavus_cli.terminal.prompt import LINES
from tests.kits.emulator import SECONDS, Console, numbered, running

EDIT = "\x18\x05"  # Ctrl-X Ctrl-E
ESC = "\x1b"
SEARCH = "\x12"  # Ctrl-R


# -- more than one line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("vi_mode", [False, True])
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("\x1b[200~one\ntwo\x1b[201~\r", "one\ntwo"),
        ("\x1b[200~one\r\ntwo\r\n\x1b[201~\r", "one\ntwo"),
        ("\x1b[200~one\rtwo\x1b[201~ three\r", "one\ntwo three"),
        ("a \x1b[200~{\n\t'x': 1,\n}\x1b[201~\r", "a {\n\t'x': 1,\n}"),
        ("\x1b[200~\x1b[31m?/quit\x1b[201~\r", "\x1b[31m?/quit"),  # keys in a paste are text
        ("one\x1b\rtwo\x1b\rthree\r", "one\ntwo\nthree"),
    ],
)
def test_new_lines_are_kept_and_nothing_is_sent_before_enter(typed: str, line: str, vi_mode: bool) -> None:
    async def check() -> None:
        async with running(vi_mode=vi_mode) as console:
            console.keys.send_text(typed + "next\r")
            await console.delivered(line, "next")

    asyncio.run(check())


def test_a_paste_while_lines_stream() -> None:
    text = "\n".join(f"row {number}" for number in range(8))

    async def check() -> None:
        async with running() as console:
            for number, character in enumerate(f"\x1b[200~{text}\x1b[201~"):
                console.prompt.print([f"line {number:03d}"])
                console.keys.send_text(character)
                await console.terminal.another_write()
            await console.terminal.shows("row 7")
            console.keys.send_text("\r")
            await console.delivered(text)

    asyncio.run(check())


# -- vi ---------------------------------------------------------------------------------------------------


def test_vi_keys_and_the_mode_sign() -> None:
    async def check() -> None:
        async with running(vi_mode=True) as console:
            console.keys.send_text("one two")
            await console.terminal.input_is("one two")
            console.keys.send_text(ESC)
            await console.terminal.shows(": one two")
            console.keys.send_text("bdw0ix")
            await console.terminal.shows("› xone")
            console.keys.send_text(ESC + "A!\r")
            await console.delivered("xone !")

    asyncio.run(check())


def test_vi_begins_a_new_line_by_typing() -> None:
    async def check() -> None:
        async with running(vi_mode=True) as console:
            console.keys.send_text("one" + ESC)
            await console.terminal.shows(": one")
            console.keys.send_text("\r")
            await console.terminal.input_is("")
            console.keys.send_text("ibis\r")
            await console.delivered("one", "ibis")

    asyncio.run(check())


def test_vi_keeps_the_keys_of_the_prompt() -> None:
    pressed: list[str] = []
    keys = {"f4": lambda: pressed.append("f4"), "?": lambda: pressed.append("?")}

    async def check() -> None:
        async with running(vi_mode=True, on_keys=keys) as console:
            console.keys.send_text("?\x1b[14~never\x03why?\r")
            await console.delivered("why?")
            console.terminal.always = None
            console.keys.send_text("\x04")
            await console.terminal.until(lambda: console.prompt.left_by is not None)
        assert console.prompt.left_by == "eof"
        assert pressed == ["?", "f4"]

    asyncio.run(check())


def test_without_vi_mode_escape_does_nothing() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("one")
            await console.terminal.input_is("one")
            console.keys.send_text(ESC + "b" + "x\r")
            await console.delivered("xone")

    asyncio.run(check())


# -- the search of the history ----------------------------------------------------------------------------


@pytest.mark.parametrize("vi_mode", [False, True])
def test_ctrl_r_searches_below_the_status_while_lines_stream(vi_mode: bool) -> None:
    async def check() -> None:
        history = InMemoryHistory(["/echo first", "two\nlines", "/context append second", "third"])
        async with running(history=history, vi_mode=vi_mode) as console:
            console.live = "streaming"
            console.prompt.refresh()
            await console.terminal.shows("streaming")
            console.keys.send_text(SEARCH)
            await console.terminal.shows("i-search")
            console.keys.send_text("e")
            await console.terminal.shows("append second")
            console.prompt.print(["above"])
            await console.terminal.shows("above")
            assert console.terminal.rows()[:3] == ["above", "streaming", "STATUS"]
            assert "append second" in console.terminal.rows()[3]
            console.keys.send_text("cho")
            await console.terminal.shows("/echo first")
            console.live = ""
            console.keys.send_text("\r")
            found = ": /echo first" if vi_mode else "› /echo first"  # as in vi, keys are then commands
            await console.terminal.until(lambda: console.terminal.rows() == ["above", "STATUS", found])
            assert console.lines == []  # found, not sent
            console.keys.send_text("\r")
            await console.delivered("/echo first")

    asyncio.run(check())


def test_a_search_is_given_up_and_the_line_is_as_it_was() -> None:
    async def check() -> None:
        async with running(history=InMemoryHistory(["/echo first"])) as console:
            console.keys.send_text("half")
            await console.terminal.input_is("half")
            for leave in ("\x03", "\x07"):  # Ctrl-C, Ctrl-G
                console.keys.send_text(SEARCH + "ec")
                await console.terminal.shows("/echo first")
                console.keys.send_text(leave)
                await console.terminal.input_is("half")
            assert console.terminal.rows() == ["STATUS", "› half"]

    asyncio.run(check())


def test_an_entry_of_several_lines_is_found() -> None:
    async def check() -> None:
        async with running(history=InMemoryHistory(["one\ntwo needle\nthree", "last"])) as console:
            console.keys.send_text(SEARCH + "needle")
            await console.terminal.shows("two needle")
            console.keys.send_text("\r")
            await console.terminal.input_is("one")
            console.keys.send_text("\r")
            await console.delivered("one\ntwo needle\nthree")

    asyncio.run(check())


# -- the user's editor ------------------------------------------------------------------------------------


class Editor:
    """An editor that begins and ends on request, and then runs ``code`` on its file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, code: str = "") -> None:
        self._begun, self._end = folder / "begun", folder / "end"
        for pipe in (self._begun, self._end):
            os.mkfifo(pipe)
        script = folder / "editor.py"
        script.write_text(
            "import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n"
            f"open({str(self._begun)!r}, 'w').write(path.read_text(encoding='utf-8'))\n"
            f"open({str(self._end)!r}).read()\n{code}\n"
        )
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f'"{sys.executable}" "{script}"')

    async def _begin(self) -> str:
        """Wait for the editor; returns the text it was given."""
        async with asyncio.timeout(SECONDS):
            return await asyncio.to_thread(self._begun.read_text, "utf-8")

    async def _finish(self) -> None:
        async with asyncio.timeout(SECONDS):
            await asyncio.to_thread(self._end.write_text, "")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The editor is open for the length of the block, even if the test fails."""
        text = await self._begin()
        try:
            yield text
        finally:
            await self._finish()


ADD = "path.write_text(path.read_text(encoding='utf-8') + 'more é\\n', encoding='utf-8')"


@pytest.mark.parametrize(("vi_mode", "keys"), [(False, EDIT), (True, EDIT), (True, ESC + "v")])
def test_what_was_written_in_the_editor_is_sent_by_enter_alone(
    vi_mode: bool, keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Editor(tmp_path, monkeypatch, ADD)

    async def check() -> None:
        async with running(vi_mode=vi_mode) as console:
            console.keys.send_text("typed é")
            await console.terminal.input_is("typed é")
            console.terminal.always = None
            console.keys.send_text(keys)
            async with editor.open() as text:
                assert text == "typed é\n"
            await console.terminal.shows("more é")
            assert console.lines == []
            console.keys.send_text("\r")
            await console.delivered("typed é\nmore é")

    asyncio.run(check())


def test_lines_wait_while_the_editor_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(tmp_path, monkeypatch)

    async def check() -> None:
        async with running() as console:
            console.prompt.print(["before"])
            console.keys.send_text("typed")
            await console.terminal.input_is("typed")
            console.terminal.always = None
            console.keys.send_text(EDIT)
            waiting = numbered(3 * LINES)
            async with editor.open():
                assert console.terminal.rows() == ["before"]  # no prompt
                last = console.terminal.writes[-1]
                assert last.rfind("\x1b[?2004l") > last.rfind("\x1b[?2004h")
                written = len(console.terminal.writes)
                for number in range(0, len(waiting), 100):
                    console.prompt.print(waiting[number : number + 100])
                    console.prompt.refresh()
                    await asyncio.sleep(0)
                console.resize(100, 30)
                assert console.prompt.held == len(waiting)
                assert len(console.terminal.writes) == written  # nothing disturbed the editor

            await console.terminal.until(lambda: console.prompt.held == 0)
            await console.terminal.input_is("typed")
            assert console.terminal.rows() == ["before", *waiting, "STATUS", "› typed"]
            assert "\x1b[?2004h" in "".join(console.terminal.writes[written:])
            console.terminal.always = "STATUS"
            console.keys.send_text("\r")
            await console.delivered("typed")

    asyncio.run(check())


def test_a_flood_under_way_when_the_editor_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(tmp_path, monkeypatch)

    async def check() -> None:
        async with running() as console:
            console.terminal.always = None
            console.prompt.print(numbered(5_000))
            await console.terminal.shows("line 0")
            console.keys.send_text(EDIT)
            async with editor.open():
                shown = console.terminal.rows()
                assert shown == numbered(len(shown))
                assert console.prompt.held == 5_000 - len(shown)
            await console.terminal.until(lambda: console.prompt.held == 0)
            assert console.terminal.rows() == [*numbered(5_000), "STATUS", "›"]

    asyncio.run(check())


def test_several_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(tmp_path, monkeypatch, "path.write_text(path.read_text() + 'x')")

    async def check() -> None:
        async with running() as console:
            console.terminal.always = None
            for number in range(3):
                console.keys.send_text(EDIT)
                async with editor.open():
                    console.prompt.print([f"while {number}"])
                await console.terminal.shows(f"while {number}")
            console.keys.send_text("\r")
            await console.delivered("\nx\nx\nx")

    asyncio.run(check())


@pytest.mark.parametrize(
    ("command", "says"),
    [("/nowhere/editor", "✗ /nowhere/editor: No such file"), ("false", "✗ false ended with status 1")],
)
def test_an_editor_that_fails_is_reported_and_the_text_stays(
    command: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)

    async def check() -> None:
        async with running() as console:
            console.keys.send_text("typed")
            await console.terminal.input_is("typed")
            console.terminal.always = None
            console.keys.send_text(EDIT)
            await console.terminal.shows(says)
            await console.terminal.input_is("typed")
            console.keys.send_text("\r")
            await console.delivered("typed")

    asyncio.run(check())


def test_closed_while_the_editor_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversation ended: the editor keeps the terminal, and its text goes into the history."""
    editor = Editor(tmp_path, monkeypatch, ADD)
    history = InMemoryHistory()

    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys, history=history)
            task = asyncio.ensure_future(console.prompt.run())
            await console.terminal.shows("STATUS")
            keys.send_text("typed" + EDIT)
            async with editor.open():
                written = len(console.terminal.writes)
                console.prompt.print(["over"])
                console.prompt.close()
                await asyncio.sleep(0)
                assert not task.done()
                assert len(console.terminal.writes) == written
            async with asyncio.timeout(SECONDS):
                await task
            assert console.prompt.left_by == "closed"
            assert console.terminal.rows() == ["over"]
            assert history.get_strings() == ["typed\nmore é"]

    asyncio.run(check())


def test_texts_that_an_editor_may_save(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def editing(code: str, text: str = "text") -> str:
        script = tmp_path / "editor.py"
        script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n{code}\n")
        return edited(text, {"EDITOR": f'"{sys.executable}" "{script}"'})

    assert editing("") == "text"
    assert editing("path.write_bytes(b'')") == ""
    assert editing("path.write_bytes(b'a\\r\\nb\\r\\n')") == "a\nb"
    assert editing("path.write_bytes(b'a\\n\\n')") == "a\n"
    assert editing("path.write_bytes(b'\\xff')") == "�"
    assert editing("", "a lone \ud83d surrogate") == "a lone ? surrogate"
    assert editing("path.with_name('backup~').write_text('x')") == "text"
    with pytest.raises(EditorFailed, match="No such file"):
        editing("path.unlink()")
    if os.name == "posix":
        assert editing("path.write_text(oct(path.parent.stat().st_mode & 0o777))") == "0o700"


def test_a_text_longer_than_the_screen_leaves_half_of_it_to_the_events() -> None:
    async def check() -> None:
        async with running(rows=20) as console:
            console.prompt.print(numbered(30))
            console.keys.send_text("\x1b[200~" + "x" * 5000 + "END\x1b[201~")
            await console.terminal.shows("END")
            rows = console.terminal.screen.display
            assert sum("xxx" in row for row in rows) == 10
            assert "line 00029" in rows[8]
            console.keys.send_text("\x03")
            await console.terminal.input_is("")
            assert not any("xxx" in row for row in console.terminal.rows())

    asyncio.run(check())


def test_whole_lines_are_pasted_without_an_empty_one_after_them() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("\x1b[200~one\r\ntwo\r\n\x1b[201~\r")
            await console.delivered("one\ntwo")

    asyncio.run(check())
