"""What goes back to whoever asked: JSON that holds any text, and errors as one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from index.errors import (
    DocumentNotFoundError,
    LibraryLockedError,
    QuestionError,
    QuothError,
    SourceError,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

__all__ = ["Json", "handle_errors"]

_STATUS: tuple[tuple[type[QuothError], int], ...] = (
    (QuestionError, 422),
    (DocumentNotFoundError, 404),
    (LibraryLockedError, 409),
    (SourceError, 422),
    (QuothError, 500),
)


class Json(JSONResponse):
    """JSON in ASCII: a document's text may hold lone surrogates, which UTF-8 has no form for."""

    def render(self, content: object) -> bytes:
        """Return `content` as bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def handle_errors(app: FastAPI) -> None:
    """Make every error raised on purpose a reply with its sentence."""
    app.add_exception_handler(QuothError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)


def _on_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return Json({"detail": str(error)}, status)


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    return Json({"detail": f"{where}: {first['msg']}."}, 422)
