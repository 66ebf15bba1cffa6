"""If the writer of a recording is killed, all lines but perhaps the last are complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kits.program import console

RECORDINGS = 200
# Forks one writer after the other, and kills each once its file has grown to a random size.
KILLER = """
import os, random, signal, sys
from tavus_cli.session.recorder import Recorder
chance = random.Random(17)
for name in range(int(sys.argv[2])):
    path = os.path.join(sys.argv[1], f"{name}.jsonl")
    writer = os.fork()
    if not writer:
        recorder = Recorder(path, conversation_id="c0ffee11", target="x", started=1790000000.0)
        number = 0
        while True:
            number += 1
            said = {"role": "pal", "speech": "w" * (number * 37 % 3000)}
            message = {"event_type": "conversation.utterance", "seq": number, "properties": said}
            recorder.received(message, 1790000000.0 + number, None, None)
    wanted = chance.randrange(1, 60_000)
    while not os.path.exists(path) or os.path.getsize(path) < wanted:
        pass
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_kill_at_random_moments(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLER, str(tmp_path), str(RECORDINGS)]
    subprocess.run(arguments, check=True, timeout=100)
    files = sorted(tmp_path.iterdir())
    assert len(files) == RECORDINGS
    for file in files:
        _replays_up_to_its_last_whole_record(file)
        content = file.read_bytes()  # and as if the disk had kept less of it
        file.write_bytes(content[: len(content) * 2 // 3])
        _replays_up_to_its_last_whole_record(file)


def _replays_up_to_its_last_whole_record(file: Path) -> None:
    lines = file.read_bytes().split(b"\n")
    result = console("replay", str(file), "--format", "{seq}")
    if len(lines) < 2:  # not even the first line
        assert result.status == 2
        return
    records = [json.loads(line)["message"]["seq"] for line in lines[1:-1]]
    got = [int(line) for line in result.lines]
    assert result.status == 0
    assert got in (records, [*records, len(records) + 1])  # the last may lack its line end
    if len(got) == len(records) and lines[-1]:
        assert "the last line is incomplete and was skipped" in result.err
