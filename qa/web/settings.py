"""How the page is served: what the commands `quoth chat` and `quoth serve` decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa.web.address import LOOPBACK_NAMES
from qa.web.limits import Limits

if TYPE_CHECKING:
    from qa.web.address import PublicAddress
    from qa.web.password import Password

__all__ = ["STATIC", "PageSettings"]

# Where script and style are served. Gradio has /static and /assets, and a reverse proxy may well
# have the page under /quoth.
STATIC = "/_quoth"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """How the page is served.

    Attributes:
        title: What the page is called.
        read_only: Whether documents can neither be added nor removed.
        upload: Whether documents can be added.
        limits: How much one person may ask of the server.
        password: Needed by everyone who asks; None where only this machine can.
        password_file: Where it was read, to be looked at again; None: it stays as it is.
        public: The address that people type where a reverse proxy stands in front.
        hosts: Names by which the server may be called.
        any_ip: Whether it may be called by any IP address as well: it listens on the network.
    """

    title: str = "Quoth"
    read_only: bool = False
    upload: bool = True
    limits: Limits = field(default_factory=Limits)
    password: Password | None = None
    password_file: Path | None = None
    public: PublicAddress | None = None
    hosts: frozenset[str] = LOOPBACK_NAMES
    any_ip: bool = False

    @property
    def can_upload(self) -> bool:
        """Whether documents can be added."""
        return self.upload and not self.read_only

    @property
    def login(self) -> bool:
        """Whether people sign in, and can sign out."""
        return self.password is not None

    @property
    def secure(self) -> bool:
        """Whether browsers reach the server over https."""
        return self.public is not None and self.public.scheme == "https"

    @property
    def path(self) -> str:
        """Where the page lives for browsers: "/", or a path such as "/quoth/"."""
        return f"{self.public.path}/" if self.public is not None else "/"
