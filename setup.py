"""Adds what pyproject.toml cannot: docs/*.md in the wheel as tavus_cli/manual, for `tavus-console help`."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithManual(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # help reads docs/ itself
        folder = Path(self.build_lib, "tavus_cli", "manual")
        folder.mkdir(parents=True, exist_ok=True)
        for page in Path("docs").glob("*.md"):
            self.copy_file(str(page), str(folder / page.name))


setup(cmdclass={"build_py": WithManual})
