"""``local``: Tavus on this machine, until stopped; and the variables that point other programs to it."""

from __future__ import annotations

import asyncio
import errno
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.session.environment import PROGRAM, Environment, local_time
from tavus_cli.views.safe import safe

PORT = 8787


class Local(NamedTuple):
    """``pals``: each as "ID=FILE.toml", "ID=FILE.toml?speed=max" or "*=?reorder=0.2"; ``speed``: "max" or a
    number, for PALs without a speed of their own. ``host`` None: this machine only."""

    port: int = PORT
    pals: Sequence[str] = ()
    speed: str | None = None
    max_concurrent: int = 50
    record: str | None = None
    host: str | None = None
    public_hosts: Sequence[str] = ()
    allow_remote: bool = False
    quiet: bool = False


def env(port: int, environment: Environment) -> int:
    """Print shell commands that set the variables. Raises CannotJoin if none is running."""
    from tavus_cli.local.running import variables

    for name, value in variables(port).items():
        print(f"export {name}={shlex.quote(value)}", file=environment.stdout)
    return ExitStatus.DONE


async def local(what: Local, environment: Environment) -> int:
    """Serve until cancelled. Raises UsageError, ConsoleError."""
    from tavus_cli.local.certificates import Authority
    from tavus_cli.local.running import announced
    from tavus_cli.local.tavus import KEY, LocalTavus, Setup

    def log(line: str) -> None:
        if not what.quiet:
            environment.complain(f"{local_time(int(time.time()))}  {safe(line)}")

    authority = Authority()
    names = [*([what.host] if what.host else []), *what.public_hosts]
    try:
        tls = authority.tls("127.0.0.1", "localhost", *names)
    except ValueError as error:
        raise UsageError(f"--host or --public-host is not a host's name: {error}") from None
    setup = Setup(specs(what.pals, what.speed), what.max_concurrent, what.record, what.allow_remote, names)
    tavus = LocalTavus(setup, tls, log)
    host = what.host or "127.0.0.1"
    if what.host is not None:
        environment.warn(f"others on this network may be able to reach {host}: the API key is not secret")
    try:
        await tavus.start(host, what.port)
    except OSError as error:
        raise _not_bound(error, host, what.port) from None
    try:
        with announced(tavus.port, tavus.daily.proxy, authority.pem, KEY):
            number = "" if tavus.port == PORT else f" --port {tavus.port}"
            environment.complain(
                f"Tavus is served on http://{host}:{tavus.port} until Ctrl-C. In another terminal:\n"
                f'  eval "$({PROGRAM} local --env{number})"'
            )
            await asyncio.Event().wait()
    finally:
        await tavus.stop()
    return ExitStatus.DONE


def specs(pals: Sequence[str], speed: str | None) -> Mapping[str, str]:
    """``--pal`` and ``--speed`` as TARGETs of the simulation, by pal_id. Raises UsageError."""
    found = {} if speed is None else {"*": f"sim:?speed={speed}"}
    for pal in pals:
        name, mark, spec = pal.partition("=")
        if not (name and mark and spec):
            raise UsageError(f'--pal takes ID=FILE.toml, not "{pal}"')
        if speed is not None and "speed=" not in spec.partition("?")[2]:
            spec += f"{'&' if '?' in spec else '?'}speed={speed}"
        found[name] = f"sim:{spec}"
    return found


def _not_bound(error: OSError, host: str, port: int) -> ConsoleError:
    if error.errno == errno.EADDRINUSE:
        return ConsoleError(f"port {port} is in use: give another --port, or stop what runs there")
    return ConsoleError(f"cannot serve on {host}:{port}: {error.strerror or error}")
