"""The entry point: the command ``tavus-console``, and ``python -m tavus_cli``."""

from __future__ import annotations

import gc
from typing import NoReturn


def main() -> NoReturn:
    # What starting makes stays to the end: the collector would look through it again and again, for a
    # twentieth of the time it takes. ``session.run`` turns it on.
    gc.disable()
    try:
        from tavus_cli.cli import main
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    main()


if __name__ == "__main__":
    main()
