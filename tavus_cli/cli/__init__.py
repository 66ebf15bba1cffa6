"""The command line: it turns options into one call. No logic, and no heavy imports at the top."""

from __future__ import annotations

import errno
import re
import sys
from importlib import import_module
from typing import Any, NoReturn

import typer

from tavus_cli.cli.app import COMMANDS, app
from tavus_cli.errors import ConsoleError, ExitStatus, UsageError, did_you_mean, keep_token
from tavus_cli.session import signals
from tavus_cli.session.environment import PROGRAM, Environment, end_process, write_whole

__all__ = ["app", "load", "main", "run_command"]

NO_THREAD = "the system starts no more threads: end other programs, or raise the limit (ulimit -u)"
# The module of each command, which registers it; all but replay have one of their own name.
HOME = {name: name for name in COMMANDS} | {"replay": "tail"}


def load(word: str = "") -> None:
    """Register the command that ``word`` names, or all of them if it names none."""
    for name in (HOME[word],) if word in HOME else HOME.values():
        import_module(f"tavus_cli.cli.{name}")


def main() -> NoReturn:
    """Run the program: a command's status, or one line about an error; never a traceback."""
    write_whole()
    environment = Environment()
    status: int = ExitStatus.FAILED
    try:
        with signals.raised():
            status = run_command(sys.argv[1:], environment)
    except (Exception, signals.Stopped):
        if signals.stopped_by() is None:  # a bug of ours: reported as Python does, but without leaving here
            sys.excepthook(*sys.exc_info())
    if number := signals.stopped_by():
        status = 128 + number
    _leave(status, environment)


def run_command(arguments: list[str], environment: Environment) -> int:
    """The exit status of a command line."""
    as_json = "--json" in arguments
    for word in arguments:
        if "://" in word and not re.search(r"\s", word):  # not what somebody says
            keep_token(word)
    try:
        if arguments != ["--version"]:
            load(arguments[0] if arguments else "")
        status = app(arguments, prog_name=PROGRAM, standalone_mode=False, obj=environment)
        return int(status or 0)
    except ConsoleError as error:
        _report(error, environment, as_json)
        return error.status
    except BrokenPipeError:
        return ExitStatus.BROKEN_PIPE
    except SystemExit as ended:  # what typer makes of a closed pipe
        if isinstance(ended.__context__, BrokenPipeError):
            return ExitStatus.BROKEN_PIPE
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if not where and error.errno in _FULL:
            where = "standard output: "
        _report(ConsoleError(f"{where}{error.strerror or error}"), environment, as_json)
        return ExitStatus.FAILED
    except MemoryError:
        _report(ConsoleError("out of memory"), environment, as_json)
        return ExitStatus.FAILED
    except RuntimeError as error:
        if str(error) != "can't start new thread":
            raise
        _report(ConsoleError(NO_THREAD), environment, as_json)
        return ExitStatus.FAILED
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INT
    except Exception as error:
        # An error in the command line is known by this method; typer has no public base class for them
        # before 0.28.
        if not hasattr(error, "format_message"):
            raise
        return _usage(error, arguments, environment, as_json)


_SIGNALS = (ExitStatus.HUP, ExitStatus.INT, ExitStatus.TERM)
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO)  # errors of writing to a disk or a terminal


def _usage(error: Any, arguments: list[str], environment: Environment, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        try:
            environment.stdout.write(error.format_message() + "\n")
        except BrokenPipeError:
            return ExitStatus.BROKEN_PIPE
        return ExitStatus.USAGE
    word = arguments[0] if arguments else ""
    where = f"{PROGRAM} {word}" if word in HOME else PROGRAM
    if getattr(error, "ctx", None) is not None:
        where = error.ctx.command_path
    line = " ".join(error.format_message().split())
    if near := _choice(error):
        line = line.removesuffix(".") + near
    _report(UsageError(f"{line} (see {where} --help)"), environment, as_json)
    return ExitStatus.USAGE


def _choice(error: Any) -> str:
    """The choice that is meant, where an option has some and was given none of them."""
    choices = getattr(getattr(getattr(error, "param", None), "type", None), "choices", ())
    given = re.match("'(.*)' is not one of", getattr(error, "message", "") or "")
    return did_you_mean(given[1], map(str, choices)) if given and choices else ""


def _report(error: ConsoleError, environment: Environment, as_json: bool) -> None:
    if not as_json:
        environment.warn(str(error))
        return
    from json import dumps

    body = {"reason": error.reason, "message": str(error), "exit_status": int(error.status)}
    environment.complain(dumps({"error": body}))


def _leave(status: int, environment: Environment) -> NoReturn:
    """Flush everything; neither a reader that has gone nor a stuck thread delays the end."""
    unwritten = environment.flush()
    if isinstance(unwritten, BrokenPipeError):
        if status not in _SIGNALS:
            status = ExitStatus.BROKEN_PIPE
    elif unwritten is not None and status == ExitStatus.DONE:
        status = ExitStatus.FAILED
        environment.warn(f"standard output: {unwritten.strerror}")
    if status == ExitStatus.BROKEN_PIPE:  # a thread may still be about to write
        environment.discard_output()
    if status == ExitStatus.INT:
        environment.clear_interrupt()
    end_process(status, hard=environment.exit_hard)
