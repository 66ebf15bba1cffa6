"""The command ``local``."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import environment_of


@app.command(
    **examples(
        "local",
        "local --env",
        "local --pal p7d1=hours.toml --pal '*=?seed=7&reorder=0.2' --speed 4",
        "local --record recordings --max-concurrent 3",
    )
)
def local(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port of the API; 0: any free port.")
    ] = 8787,
    pal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=FILE.toml",
            help="The script of a PAL, and sim's parameters; * is any other PAL. Can be repeated.",
        ),
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(metavar="N|max", help="How fast PALs talk: 1 is lifelike, max answers at once."),
    ] = None,
    max_concurrent: Annotated[
        int, typer.Option(min=1, metavar="N", help="At most this many conversations may be active at once.")
    ] = 50,
    record: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Record every conversation in this folder.")
    ] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Print the shell variables for the running server, and exit.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Serve on this address instead of only this machine."),
    ] = None,
    public_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Accept requests for this host name, such as a tunnel's."),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Post webhooks to other machines too.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not log requests and webhooks.")] = False,
) -> int:
    """Run Tavus on this machine: API, rooms, simulated PALs.

    The real Daily client can join the rooms. In another terminal: eval "$(tavus-console local --env)".
    Commands there use it instead of Tavus.
    """
    environment = environment_of(ctx)
    if env:
        from tavus_cli.commands.local import env as run_env

        return run_env(port, environment)
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.local import Local
    from tavus_cli.commands.local import local as run_local
    from tavus_cli.session.loop import run

    hosts = public_host or []
    options = Local(port, pal or [], speed, max_concurrent, record, host, hosts, allow_remote, quiet)
    return run(lambda: run_local(options, environment))
