"""Why the API cannot be reached (name, connection, TLS or proxy), and what to do next.

httpx has one error for most of it; the cause is in the chain of errors behind it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

Stage = Literal["dns", "connect", "tls", "proxy", "answer"]
SAID_LIMIT = 100  # characters of a proxy's reason
# By OpenSSL's error numbers for certificates: its time, its name.
_TODO = dict.fromkeys((9, 10), "is the clock right?") | dict.fromkeys((62, 64), "is --base-url right?")


def proxy_of(url: str) -> tuple[str, str]:
    """The variable that names a proxy for a URL, and the proxy; both "" if there is none.

    Entries of NO_PROXY that cannot be a host, such as [::1] or 10.0.0.0/8, are ignored.
    """
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(url), getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind, "").strip()
    if not proxy or "*" in re.split(r"[\s,]+", proxies.get("no", "")) or proxy_bypass(parts.hostname or ""):
        return "", ""
    names = (f"{kind}_proxy", f"{kind}_proxy".upper())
    variable = next((name for name in names if os.environ.get(name)), "the system's proxy setting")
    return variable, proxy if "://" in proxy else f"http://{proxy}"


def shown_proxy(proxy: str) -> str:
    """A URL without its user and password."""
    head, at, host = proxy.rpartition("@")
    return f"{head.partition('://')[0]}://{host}" if at else proxy


def not_connected(error: Exception, host: str, proxy: str) -> tuple[Stage, str]:
    """The step at which a connection failed, and a line about it.

    ``proxy`` is the result of ``proxy_for``.
    """
    said = str(error)[:SAID_LIMIT] or "no answer in time"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror) and not proxy:
            return "dns", f"cannot reach {host}: DNS has no such name ({cause.strerror}); is the network up?"
        if isinstance(cause, ssl.SSLError):
            return "tls", _tls(cause, host, proxy)
        if isinstance(cause, OSError) and cause.strerror:
            said = cause.strerror
    if proxy:
        return "proxy", f"cannot reach {host}: the proxy {proxy} fails ({said}); is HTTPS_PROXY right?"
    return "connect", f"cannot reach {host}: {said}; is the network up?"


def _tls(error: ssl.SSLError, host: str, proxy: str) -> str:
    by = f", through the proxy {proxy}" if proxy else ""
    if isinstance(error, ssl.SSLCertVerificationError):
        todo = _TODO.get(error.verify_code, "if a proxy inspects TLS, set SSL_CERT_FILE to its authority")
        why = error.verify_message.rstrip(".")
        return f"cannot reach {host}{by}: its certificate is not trusted ({why}); {todo}"
    return f"cannot reach {host}{by}: no TLS version in common ({error.reason}); is --base-url right?"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
