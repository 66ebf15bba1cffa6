"""Files of a running ``local`` for ``local --env``: addresses and authorities, in a private folder."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tavus_cli.errors import CannotJoin, ConsoleError
from tavus_cli.files import read
from tavus_cli.resident import sockets

ASK_SECONDS = 3.0
# Where systems keep certificate authorities, for an OpenSSL that looks elsewhere.
_KNOWN_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


@contextlib.contextmanager
def announced(port: int, proxy: str, pem: bytes, key: str) -> Iterator[None]:
    """Keep the files for the length of a block. Raises ConsoleError if they cannot be written."""
    folder = _folder()
    about, bundle = folder / f"local-{port}.json", folder / f"local-{port}.pem"
    variables = {
        "TAVUS_API_BASE_URL": f"http://127.0.0.1:{port}",
        "TAVUS_API_KEY": key,
        "TAVUS_DAILY_PROXY": proxy,
        "SSL_CERT_FILE": str(bundle),
    }
    try:
        _write(bundle, system_authorities() + pem)
        _write(about, json.dumps(variables).encode())
    except OSError as error:
        raise ConsoleError(f"{error.filename}: {error.strerror or error}") from None
    try:
        yield
    finally:
        for path in (about, bundle):
            with contextlib.suppress(OSError):
                path.unlink()


def variables(port: int) -> dict[str, str]:
    """The variables that lead to the ``local`` on this port. Raises CannotJoin if none runs there."""
    nobody = CannotJoin(f"nothing runs on port {port}: start tavus-console local, or give its --port")
    try:
        variables: Any = json.loads((_folder() / f"local-{port}.json").read_bytes())
        address, proxy = variables["TAVUS_API_BASE_URL"], variables["TAVUS_DAILY_PROXY"]
        if _asked(address, variables["TAVUS_API_KEY"]).get("daily_proxy") != proxy:
            raise nobody  # left by a process that was killed
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        raise nobody from None
    return {str(name): str(value) for name, value in variables.items()}


def system_authorities() -> bytes:
    """The authorities (PEM) that this machine already trusts, with a final newline; b"" if none."""
    for path in (ssl.get_default_verify_paths().cafile, *_KNOWN_BUNDLES, _certifi()):
        with contextlib.suppress(OSError, TypeError):
            data = read(path or "")
            if b"BEGIN CERTIFICATE" in data:
                return data.rstrip() + b"\n"
    return b""


def _certifi() -> str | None:
    try:
        import certifi
    except ImportError:
        return None
    return str(certifi.where())


def _asked(address: str, key: str) -> dict[str, Any]:
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/local", headers={"x-api-key": key})
        value: Any = json.loads(connection.getresponse().read(65_536))
    finally:
        connection.close()
    return value if isinstance(value, dict) else {}


def _folder() -> Path:
    if sockets.supported():
        return sockets.own_folder()
    folder = sockets.folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)
