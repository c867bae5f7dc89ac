"""What routes share: whether something is permitted here, and where bringing up to date stands."""

from __future__ import annotations

from fastapi import HTTPException

from qa.web.document_schemas import SyncReply
from qa.web.services import Services

__all__ = ["allow", "sync_reply"]


def allow(permitted: bool, sentence: str) -> None:
    """Refuse with `sentence` what is not permitted on this server."""
    if not permitted:
        raise HTTPException(403, sentence)


def sync_reply(services: Services) -> SyncReply:
    """Return where bringing the library up to date stands."""
    return SyncReply.of_state(services.syncing.state, services.library.generation)
