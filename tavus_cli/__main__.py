"""The entry point: the command ``tavus-console``, and ``python -m tavus_cli``."""

try:  # before anything else, so that no Ctrl-C shows a traceback
    from tavus_cli.session import signals

    signals.take()
except KeyboardInterrupt:
    raise SystemExit(130) from None

import gc
from typing import NoReturn


def main() -> NoReturn:
    # What starting makes stays to the end: the collector would look through it again and again, for a
    # twentieth of the time it takes. ``session.run`` turns it on.
    gc.disable()
    from tavus_cli.cli import main

    main()


if __name__ == "__main__":
    main()
