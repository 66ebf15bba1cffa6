"""The command ``local``."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import environment_of


@app.command()
def local(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The API's; 0: any.")] = 8787,
    pal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=FILE.toml",
            help="The script of a PAL, * for all others; with what sim takes: '*=?seed=7&reorder=0.2'.",
        ),
    ] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="N|max", help="How many times as fast as life PALs talk.")
    ] = None,
    max_concurrent: Annotated[
        int, typer.Option(min=1, metavar="N", help="Active conversations at once; more are refused.")
    ] = 50,
    record: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Keep a recording of every conversation there.")
    ] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Print what leads a shell to the one that runs, and exit.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Serve on this address, not only this machine.")
    ] = None,
    public_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that requests may come under: a tunnel's."),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Post webhooks to other machines too.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No log of requests and webhooks.")] = False,
) -> int:
    """Tavus on this machine: API, rooms for the real Daily client, simulated PALs. No account, no network.

    In another terminal: eval "$(tavus-console local --env)", then work as with Tavus.
    """
    environment = environment_of(ctx)
    if env:
        from tavus_cli.commands.local import env as run_env

        return run_env(port, environment)
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.local import Local
    from tavus_cli.commands.local import local as run_local
    from tavus_cli.session.session import run

    hosts = public_host or []
    what = Local(port, pal or [], speed, max_concurrent, record, host, hosts, allow_remote, quiet)
    return run(lambda: run_local(what, environment))
