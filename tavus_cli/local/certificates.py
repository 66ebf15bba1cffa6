"""The certificate authority for Daily on this machine. Its key is never written to disk."""

from __future__ import annotations

import ssl

import trustme


class Authority:
    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="tavus-console local")

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self._authority.cert_pem.bytes()

    def tls(self, *names: str) -> ssl.SSLContext:
        """The TLS context of a server, with a certificate for these names and addresses.

        Raises ValueError for an invalid host name.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names).configure_cert(context)
        return context
