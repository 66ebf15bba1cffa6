"""``python -m bench [PART]``: every figure side by side in one run, as ratios."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import (
    clients,
    live,
    local,
    prompt,
    report,
    script,
    signals,
    soak,
    start,
    suites,
    throughput,
    tools,
)

PARTS: dict[str, Callable[[], None]] = {
    "start": start.main,
    "throughput": throughput.main,
    "memory": throughput.memory,
    "live": live.main,
    "soak": soak.main,
    "local": local.main,
    "clients": clients.main,
    "prompt": prompt.main,
    "hour": prompt.hour,
    "script": script.main,
    "signals": signals.main,
    "report": report.main,
    "tools": tools.main,
    "suites": suites.main,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no part {unknown[0]}: there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in names or PARTS:
        PARTS[name]()
        print()
    return 0


sys.exit(main(sys.argv[1:]))
