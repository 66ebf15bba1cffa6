"""The entry point: the command ``tavus-console``, and ``python -m tavus_cli``."""

import _signal  # type: ignore[import-not-found]  # ``signal`` itself takes far longer

# Before anything else, so that no Ctrl-C shows a traceback: until it is handled, it ends us without a word.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from tavus_cli.session import signals

signals.take()

import gc  # noqa: E402
from typing import NoReturn  # noqa: E402


def main() -> NoReturn:
    # What starting makes stays to the end: the collector would look through it again and again, for a
    # twentieth of the time it takes. ``loop.run`` turns it on.
    gc.disable()
    from tavus_cli.cli import main

    main()


if __name__ == "__main__":
    main()
