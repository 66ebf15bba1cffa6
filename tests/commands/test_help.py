"""``help``: the manual, from the checkout, on a terminal and from a wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tavus_cli.commands.help import TOPICS
from tests.kits.pages import MANUAL, ROOT
from tests.kits.program import CONSOLE, console, environ
from tests.kits.tmux import needs_tmux, pane


def test_it_lists_every_page_on_a_line() -> None:
    result = console("help")
    assert (result.status, result.err) == (0, "")
    for topic, line in TOPICS.items():
        assert f"{topic}  " in result.out
        assert line in result.out
    assert max(map(len, result.lines)) <= 80


@pytest.mark.parametrize("page", MANUAL, ids=[page.stem for page in MANUAL])
def test_a_pipe_gets_the_markdown(page: Path) -> None:
    result = console("help", page.stem)
    assert (result.status, result.err) == (0, "")
    text = page.read_text("utf-8")
    assert result.out == text.replace("<!-- live -->\n", "").replace("<!-- slow -->\n", "")


def test_a_command_gets_its_own_help() -> None:
    assert console("help", "tail").out == console("tail", "--help").out
    assert console("help", "replay").out == console("replay", "--help").out


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("scirpts", 'unknown topic "scirpts"; did you mean scripts?'),
        ("jion", 'unknown topic "jion"; did you mean join?'),
        ("xyzzy", 'unknown topic "xyzzy" (see tavus-console help)'),
        ("../README", 'unknown topic "../README"'),
        ("\x1b[2J", 'unknown topic "␛[2J"'),
    ],
)
def test_an_unknown_topic_is_a_usage_error(word: str, message: str) -> None:
    result = console("help", word)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


@needs_tmux
@pytest.mark.slow
def test_a_terminal_gets_it_laid_out(tmp_path: Path) -> None:
    with pane(tmp_path, CONSOLE, "help", "scripts", columns=80, rows=250) as terminal:
        assert terminal.ends() == 0
        shown = terminal.all
    assert "On a recording" in shown
    assert "## " not in shown
    assert "](" not in shown
    assert "<!--" not in shown


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_wheel_holds_the_manual(tmp_path: Path) -> None:
    """Built, installed into an environment of its own, and run from another folder."""
    build(tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    python = tmp_path / "venv" / "bin" / "python"
    quiet("-m", "venv", "--without-pip", str(tmp_path / "venv"))
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # Only the package is new: what it needs is borrowed from this environment, which keeps the test offline.
    quiet("-m", "pip", "install", "--quiet", "--no-deps", "--target", site, str(wheel))
    needed = [path for path in sys.path if path.endswith("site-packages")]
    Path(site, "borrowed.pth").write_text("\n".join(needed))
    for page in MANUAL:
        done = subprocess.run(
            [python, "-m", "tavus_cli", "help", page.stem],
            cwd=tmp_path,
            env=environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == console("help", page.stem).out
    where = subprocess.run(
        [python, "-c", "import tavus_cli; print(tavus_cli.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(site)


def build(folder: Path) -> None:
    """A wheel in ``folder``, from a copy: building leaves files behind."""
    copy = folder / "source"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    quiet("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy))


def quiet(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
