"""A reply with a file that is open already, so that no other can take its place on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["OpenedFile"]

_DESCRIPTORS = Path("/proc/self/fd")  # Linux


class OpenedFile(FileResponse):
    """Sends `file`, also in parts, and closes it.

    Args:
        file: Opened for reading. Where the system does not lead from a descriptor to its file,
            it is opened again by its path.
        path: Where it is.
        name: What it is called for whoever saves it.
        media_type: Its type.
        inline: Whether a browser may show it instead of saving it.
        headers: Further headers.
    """

    def __init__(
        self,
        file: BufferedReader,
        path: Path,
        *,
        name: str,
        media_type: str,
        inline: bool,
        headers: Mapping[str, str],
    ) -> None:
        self._file = file
        by_number = _DESCRIPTORS / str(file.fileno())
        super().__init__(
            by_number if _DESCRIPTORS.is_dir() else path,
            stat_result=os.fstat(file.fileno()),
            filename=name,
            media_type=media_type,
            content_disposition_type="inline" if inline else "attachment",
            headers=headers,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()
