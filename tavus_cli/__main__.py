"""``python -m tavus_cli`` is ``tavus-console``."""

from tavus_cli.cli import main

main()
