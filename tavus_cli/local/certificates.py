"""The authority that signs for Daily on this machine. Its key is never written."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import trustme


class Authority:
    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="tavus-console local")

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self._authority.cert_pem.bytes()

    def tls(self, *names: str) -> ssl.SSLContext:
        """A server's context, with a certificate for these names and addresses."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names).configure_cert(context)
        return context


def write_bundle(path: Path, pem: bytes, system: str | None = None) -> None:
    """The system's authorities and ours in one file, for ``SSL_CERT_FILE``, which replaces the system's.

    ``system``: the file of the system's authorities; else the one that OpenSSL knows.
    """
    system = system or ssl.get_default_verify_paths().cafile
    known = b""
    if system and os.access(system, os.R_OK):
        known = Path(system).read_bytes()
        known += b"" if known.endswith(b"\n") or not known else b"\n"
    part = path.with_name(path.name + ".part")
    part.write_bytes(known + pem)
    part.replace(path)
