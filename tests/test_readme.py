"""The README: short, and its two commands exist. Its examples are run by test_docs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tavus_cli.cli import HOME
from tests.kits.pages import README, ROOT

TEXT = README.read_text("utf-8")


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 150


def test_every_command_is_in_its_table() -> None:
    table = TEXT.partition("## Commands")[2].partition("\n\nExit")[0]
    named = re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    assert sorted(named) == sorted(HOME)


MAKE = shutil.which("make")
needs_make = pytest.mark.skipif(MAKE is None, reason="make is not installed")


@needs_make
def test_the_two_commands_exist() -> None:
    for target, does in (("sim", "tavus-console join sim"), ("test", "pytest")):
        assert f"make {target}\n" in TEXT
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert does in done.stdout


MISSING = {  # what python3 is there: what to do
    "none": ("", "There is no python3. Run: sudo apt install python3 python3-venv"),
    "an old one": (
        'case "$*" in *version_info*) exit 1;; esac; exec {python} "$@"',
        "tavus-console needs Python 3.11 or newer. Name one: make PYTHON=python3.12 sim",
    ),
    "Debian's, without venv": (
        'case "$*" in *ensurepip*) exit 1;; esac; exec {python} "$@"',
        "python3 cannot create environments. Run: sudo apt install python3-venv",
    ),
}


@needs_make
@pytest.mark.parametrize(("python", "advice"), MISSING.values(), ids=MISSING)
def test_make_sim_says_what_to_install(python: str, advice: str, tmp_path: Path) -> None:
    programs(tmp_path, python3=python.format(python=sys.executable), apt="exit 0")
    done = make_sim(tmp_path)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == advice
    assert not (tmp_path / "venv").exists()


@needs_make
def test_make_sim_says_what_to_install_without_apt(tmp_path: Path) -> None:
    programs(tmp_path)
    assert "There is no python3. Install Python with its modules" in make_sim(tmp_path).stderr


@needs_make
def test_make_sim_uses_uv_where_there_is_one(tmp_path: Path) -> None:
    """A fake uv that only records its arguments, and installs a console that does the same."""
    console = 'echo "#!/bin/sh\necho console \\$*" > "$BIN/tavus-console"; chmod +x "$BIN/tavus-console"'
    environment = 'mkdir -p "$BIN"; : > "$BIN/python"'
    uv = f'echo "uv $*"; case $1 in venv) {environment};; pip) {console};; esac'
    programs(tmp_path, uv=f"BIN={tmp_path}/venv/bin; {uv}", mkdir='exec /bin/mkdir "$@"')
    done = make_sim(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    venv, _, pip, console = done.stdout.splitlines()
    assert venv == f"uv venv --seed {tmp_path}/venv"
    assert pip == f"uv pip install --python {tmp_path}/venv/bin/python --editable ."
    assert console == "console join sim"
    assert make_sim(tmp_path).stdout == "console join sim\n"


def programs(folder: Path, **scripts: str) -> None:
    """All that is on the PATH: what ``make`` itself needs, and these."""
    (folder / "bin").mkdir()
    for name in ("touch", "chmod", "make"):
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    for name, script in scripts.items():
        if script:
            (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / "bin" / name).chmod(0o755)


def make_sim(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MAKE), "sim", f"VENV={folder}/venv"],
        cwd=ROOT,
        env={"PATH": f"{folder}/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
