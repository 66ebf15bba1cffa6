"""Values of a file, and whether an address is of this machine."""

from __future__ import annotations

import pytest

from tavus_cli.settings.toml_values import is_loopback


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:11434/v1", True),
        ("http://LOCALHOST", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:8080", True),
        ("http://models.localhost", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("https://tavusapi.com", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(url: str, own: bool) -> None:
    assert is_loopback(url) is own
