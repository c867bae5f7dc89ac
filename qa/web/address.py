"""Where the server is reached: the host it listens on, and the address that people type."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from index.errors import QuothError

__all__ = ["LOOPBACK_NAMES", "PublicAddress", "host_names", "is_loopback", "url_host"]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """The address people type where a reverse proxy stands in front of the server.

    Attributes:
        scheme: "http" or "https".
        host: As browsers send it: a name in lower case, with a port that is not the usual one.
        path: "" or a path such as "/quoth", without a slash at the end.
    """

    scheme: str
    host: str
    path: str = ""

    @property
    def origin(self) -> str:
        """What browsers send as `Origin`."""
        return f"{self.scheme}://{self.host}"

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    def is_at(self, host: str) -> bool:
        """Return whether `host`, as a request has it, is that of this address."""
        return host.lower().removesuffix(f":{_PORTS[self.scheme]}") == self.host

    @classmethod
    def parse(cls, url: str) -> PublicAddress:
        """Return the address `url`.

        Raises:
            QuothError: It is no plain http or https address.
        """
        problem = QuothError(
            f"{url!r} is not an address for the page; give one such as https://docs.example.org "
            "or https://example.org/quoth."
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise problem from None
        path = parts.path.rstrip("/")
        extra = parts.query or parts.fragment or parts.username is not None
        if parts.scheme not in _PORTS or not parts.hostname or extra or not _PATH.fullmatch(path):
            raise problem
        if ".." in path.split("/") or "." in path.split("/"):
            raise problem
        host = url_host(parts.hostname)
        if port is not None and port != _PORTS[parts.scheme]:
            host = f"{host}:{port}"
        return cls(parts.scheme, host, path)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_host(host: str) -> str:
    """Return `host` as it stands in an address: an IPv6 literal in brackets."""
    return f"[{host}]" if ":" in host else host.lower()


def host_names(host: str) -> frozenset[str]:
    """Return the names by which browsers may call a server that listens on `host`.

    Addresses of IP are safe whatever they are, see `qa.web.guard`; these are the names.
    """
    if is_loopback(host):
        return LOOPBACK_NAMES
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return LOOPBACK_NAMES | {
        url_host(host),
        name,
        short,
        f"{short}.local",
        socket.getfqdn().lower(),
    }
