"""Tools that are URLs, by a real server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from tavus_cli.tools.process import MAX_OUTPUT
from tests.kits.tools_kit import Talk, pal, talked

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/hours"
    finally:
        await runner.cleanup()


def talk(folder: Path, handler: Handler, more: str = "", **options: Any) -> Talk:
    async def main() -> Talk:
        async with served(handler) as url:
            file = folder / "tools.toml"
            file.write_text(f'[[tool]]\nname = "*"\nurl = "{url}"\n{more}')
            return await talked(pal(folder, ("get_hours", {"day": "mon"})), file=str(file), **options)

    return asyncio.run(main())


def test_a_url_gets_the_call_and_answers(tmp_path: Path) -> None:
    asked: list[Any] = []

    async def hours(request: web.Request) -> web.Response:
        asked.append((request.method, request.headers["X-Key"], await request.json()))
        return web.json_response({"hours": "nine"})

    environ = {"HOURS_KEY": "secret-1", "NO_PROXY": "*"}
    done = talk(tmp_path, hours, 'headers = { X-Key = "HOURS_KEY" }\n', environ=environ)
    assert done.result == ("success", {"hours": "nine"})
    ((call_id, _),) = done.results.items()
    told = {
        "name": "get_hours",
        "arguments": {"day": "mon"},
        "tool_call_id": call_id,
        "conversation_id": done.session.room.conversation_id,
    }
    assert asked == [("POST", "secret-1", told)]
    assert "secret-1" not in json.dumps([done.notes, done.sent])


def test_what_a_server_does_wrong_is_one_line(tmp_path: Path) -> None:
    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=503, text="closed for repairs")

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})

    async def flood(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MAX_OUTPUT + 1))

    async def hang(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def binary(request: web.Request) -> web.Response:
        return web.Response(body=b"\xff")

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    told = {
        broken: "HTTP 503: closed for repairs",
        moved: "HTTP 302",
        flood: f"more than {MAX_OUTPUT:,} bytes of output",
        binary: "the answer is not UTF-8 text",
        hang: "no result within 0.3 s",
    }
    for handler, error in told.items():
        assert talk(tmp_path, handler, 'timeout = "300ms"\n').result == ("error", error)
    status, error = talk(tmp_path, cut).result
    assert (status, error.startswith("no answer from 127.0.0.1:")) == ("error", True)


def test_nobody_there(tmp_path: Path) -> None:
    tool = "*=http://127.0.0.1:9/secret?key=1"
    done = asyncio.run(talked(pal(tmp_path, ("get_hours", {})), tool))
    status, error = done.result
    assert (status, error.startswith("no answer from 127.0.0.1:9: ")) == ("error", True)
    assert "secret" not in error
