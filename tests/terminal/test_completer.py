"""Completion by Tab, through a prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tavus_cli.terminal.completer import CommandCompleter
from tests.kits.emulator import numbered, running


def words(before: str) -> Iterator[tuple[str, str]]:
    if " " not in before:
        yield from [("/echo", "say it"), ("/expect", "wait for it"), ("/interrupt", "")]
    else:
        yield from [("--audio", "from a file"), ("--error", "")]


def test_tab_completes_the_current_word() -> None:
    async def check() -> None:
        async with running(completer=CommandCompleter(words)) as console:
            console.keys.send_text("/in\t")
            await console.terminal.input_is("/interrupt")
            console.keys.send_text("x")  # after the only candidate the next word can begin
            await console.terminal.input_is("/interrupt x")
            console.keys.send_text("\x03/e\t")
            await console.terminal.shows("wait for it")
            console.keys.send_text("\t")
            await console.terminal.input_is("/echo")
            console.keys.send_text("\r")  # takes the word and sends nothing
            await console.terminal.until(
                lambda: not any("wait for it" in row for row in console.terminal.screen.display)
            )
            assert console.lines == []
            console.keys.send_text(" --a\t")
            await console.terminal.input_is("/echo --audio")
            console.keys.send_text("\r")
            await console.delivered("/echo --audio ")
            console.keys.send_text("/INT\t")
            await console.terminal.input_is("/interrupt")
            console.keys.send_text("\x1b[A")  # no menu has opened for the next word: Up is the history's
            await console.terminal.input_is("/echo --audio")

    asyncio.run(check())


def test_no_rows_stay_reserved_for_the_menu() -> None:
    async def check() -> None:
        async with running(rows=10, completer=CommandCompleter(words)) as console:
            console.prompt.print(numbered(20))
            await console.terminal.shows("line 00019")
            assert console.terminal.screen.display[-1].startswith("›")

    asyncio.run(check())
