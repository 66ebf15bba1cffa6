"""A mocked tool: outputs in turn, failures from a seed. No program, no network, no clock."""

from __future__ import annotations

import random

from tavus_cli.tools.replies import Result
from tavus_cli.tools.table import Mock


class Mocked:
    """The state of one mock: how often it was called."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._random = random.Random(mock.seed)
        self._given = 0

    def result(self) -> Result:
        """The next result; a failure does not use up an output."""
        if self._mock.fail and self._random.random() < self._mock.fail:
            return Result(error="a mocked failure")
        outputs = self._mock.outputs
        output = outputs[min(self._given, len(outputs) - 1)]
        self._given += 1
        return Result(output)
