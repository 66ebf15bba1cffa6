"""Options of ``run`` for a suite: one argument, ``suite``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.cli.app import SUITES
from tavus_cli.cli.gathered import Command, gathered, option
from tavus_cli.cli.options import duration_option

if TYPE_CHECKING:
    from tavus_cli.suite.plan import SuiteOptions

    Suite = SuiteOptions | None
else:
    Suite = Any  # the type of a command's parameter ``suite``, named without importing it


def _share(value: Any) -> float:
    """ "0.8", "80%"."""
    from tavus_cli.suite.plan import parse_share

    return value if isinstance(value, float) else parse_share(value)


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=SUITES, **more)


_OPTIONS = (
    option("repeat", Annotated[int | None, _option(min=1, metavar="N", help="Run each script N times.")]),
    option(
        "jobs",
        Annotated[int | None, _option("--jobs", "-j", min=1, metavar="N", help="Run at most N at once.")],
    ),
    option(
        "run_timeout",
        Annotated[float | None, duration_option("How long a run may take.  [default: 5m]", panel=SUITES)],
    ),
    option(
        "min_pass",
        Annotated[
            float | None,
            _option(
                parser=_share,
                metavar="SHARE",
                help="The share of its runs that a script must pass on a target: 0.8, 80%.  [default: all]",
            ),
        ],
    ),
    option(
        "filter",
        Annotated[str | None, _option(metavar="GLOB", help="Only the scripts whose name or path matches.")],
    ),
    option(
        "shard",
        Annotated[
            str | None,
            _option(
                metavar="I/N", help="Run the I-th of N parts of the suite, for example one on each machine."
            ),
        ],
    ),
    option(
        "fail_fast",
        Annotated[bool | None, _option("--fail-fast", help="End after the first run that fails.")],
    ),
    option(
        "results", Annotated[str | None, _option(metavar="FILE", help="Write a line of JSON for each run.")]
    ),
    option(
        "baseline",
        Annotated[
            str | None,
            _option(metavar="FILE", help="Compare with an earlier --results: newly failing, fixed, slower."),
        ],
    ),
    option(
        "keep",
        Annotated[
            str | None, _option(metavar="failed|all", help="Keep the recordings of these runs in --keep-in.")
        ],
    ),
    option("keep_in", Annotated[str, _option(metavar="FOLDER", help="The folder for --keep.")], "recordings"),
)


def _suite(values: dict[str, Any]) -> Suite:
    """None if no option but --keep-in was given. Raises UsageError."""
    folder = values.pop("keep_in")
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return None
    from tavus_cli.suite.plan import SuiteOptions, parse_shard, recordings

    if "shard" in given:
        given["shard"] = parse_shard(given["shard"])
    if "keep" in given:
        given["recordings"] = recordings(given.pop("keep"), folder)
    return SuiteOptions(**given)


def with_suite(function: Command) -> Command:
    """Add the options to a command, which gets them as ``suite``, None if none was given."""
    return gathered("suite", _OPTIONS, _suite)(function)
