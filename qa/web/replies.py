"""What goes back to whoever asked: JSON that holds any text, and errors as problem details.

An error is one sentence in the member `detail` of an `application/problem+json` reply (RFC 9457).
What kind it is stands in `type`, as `urn:quoth:problem:…`; its number in `instance` is new for
every reply, and is what the log has where the server itself failed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from index.errors import (
    ConversationNotFoundError,
    DocumentNotFoundError,
    EncoderError,
    LibraryLockedError,
    MissingExtraError,
    QuestionError,
    QuothError,
    SourceError,
)
from qa.text import text
from qa.visible import one_line
from qa.web.headers import SAFE_HEADERS

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

__all__ = [
    "PROBLEM",
    "BusyError",
    "Json",
    "failure",
    "handle_errors",
    "problem",
    "problem_of",
]

logger = logging.getLogger(f"quoth.{__name__}")

PROBLEM = "application/problem+json"

_MOST_FAULTS = 5  # of one request that are told
_LONGEST_NAME = 60  # of a field, in a sentence


class Json(JSONResponse):
    """JSON in ASCII: a document's text may hold lone surrogates, which UTF-8 has no form for."""

    def render(self, content: object) -> bytes:
        """Return `content` as bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class BusyError(QuothError):
    """More is asked at the same time than the server takes on; `seconds` later it may."""

    def __init__(self, seconds: int) -> None:
        super().__init__(text("api.busy"))
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of problem: its HTTP status, the end of its `type`; the title is `api.NAME`."""

    status: int
    name: str


# The first that fits counts.
_KINDS: tuple[tuple[type[QuothError], _Kind], ...] = (
    (QuestionError, _Kind(422, "question")),
    (ConversationNotFoundError, _Kind(404, "conversation-not-found")),
    (DocumentNotFoundError, _Kind(404, "document-not-found")),
    (LibraryLockedError, _Kind(409, "library-locked")),
    (SourceError, _Kind(422, "source")),
    (MissingExtraError, _Kind(501, "not-installed")),
    (EncoderError, _Kind(503, "model")),
    (BusyError, _Kind(503, "busy")),
    (QuothError, _Kind(500, "failed")),
)
_NAMES = {
    400: "bad-request",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "method",
    408: "bad-request",
    409: "conflict",
    413: "too-large",
    414: "too-large",
    415: "media-type",
    422: "invalid",
    429: "too-many",
    431: "too-large",
    503: "busy",
}


def problem(
    status: int,
    detail: str,
    *,
    name: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Return an error as `application/problem+json`.

    Args:
        status: HTTP status.
        detail: One sentence for whoever asked: what, where, what to do.
        name: End of the problem's type; by default the one that the status stands for.
        headers: Further headers, such as Retry-After.
        more: Further members.
    """
    name = name or _NAMES.get(status, "failed")
    body = {
        "type": f"urn:quoth:problem:{name}",
        "title": text(f"api.{_key(name)}"),
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{uuid4()}",
        **more,
    }
    # The guard adds these too, but an error that nobody foresaw is answered outside of it.
    safe = {**SAFE_HEADERS, "cache-control": "no-store"}
    return Json(body, status, headers={**safe, **(headers or {})}, media_type=PROBLEM)


def _key(name: str) -> str:
    return name.replace("-", "_")


def handle_errors(app: FastAPI) -> None:
    """Make every error a problem reply, those raised on purpose with their sentence."""
    app.add_exception_handler(QuothError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_refusal)
    app.add_exception_handler(ClientDisconnect, _on_leaving)
    app.add_exception_handler(Exception, _on_failure)


def problem_of(error: QuothError) -> Response:
    """Return the reply for an error that was raised on purpose."""
    kind = next(kind for raised, kind in _KINDS if isinstance(error, raised))
    headers = {"retry-after": str(error.seconds)} if isinstance(error, BusyError) else None
    # In the body too: within a stream there are no headers any more.
    again = {"retry_after": error.seconds} if isinstance(error, BusyError) else {}
    return problem(kind.status, one_line(str(error)), name=kind.name, headers=headers, **again)


def failure() -> Response:
    """Return the reply for an error that nobody foresaw; it tells nothing of what is inside."""
    return problem(500, text("api.failed_detail"))


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, QuothError)
    reply = problem_of(error)
    if reply.status_code == 500:
        logger.warning("%s %s: %s", request.method, request.url.path, error)
    return reply


def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase or not detail.endswith("."):
        # Not raised by us, so it has no sentence yet.
        name = _NAMES.get(error.status_code, "failed")
        detail = text(f"api.{_key(name)}_detail", method=request.method)
    return problem(error.status_code, detail, headers=error.headers)


def _on_leaving(request: Request, error: Exception) -> Response:
    # Whoever stops sending in the middle is no failure of the server, and hears no reply.
    return Response(status_code=400)


def _on_failure(request: Request, error: Exception) -> Response:
    reply = failure()
    # The server logs the error with this note: so what a person reports is found in the log. An
    # application inside another one handles it first.
    if not getattr(error, "__notes__", ()):
        instance = json.loads(bytes(reply.body))["instance"]
        error.add_note(f"{request.method} {request.url.path} was answered with {instance}")
    return reply


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    told = [_fault(fault) for fault in faults[:_MOST_FAULTS]]
    if len(faults) > len(told):
        told.append(text("api.more_faults", n=len(faults) - len(told)))
    pointers = [{"pointer": _pointer(fault["loc"]), "detail": _fault(fault)} for fault in faults]
    return problem(422, " ".join(dict.fromkeys(told)), errors=pointers[:_MOST_FAULTS])


def _fault(fault: Mapping[str, Any]) -> str:
    """Return one sentence about one fault of a request."""
    where, kind = _where(fault["loc"]), fault["type"]
    if kind == "json_invalid":
        return text("api.json_invalid")
    if kind == "value_error":  # said by us
        said = str(fault["ctx"]["error"])
        return one_line(f"{where} {said}.")
    if not where:
        return text("api.no_object")
    if kind in ("missing", "extra_forbidden"):
        return text(f"api.{kind}", where=where)
    return text("api.fault", where=where, what=one_line(str(fault["msg"])))


def _where(loc: Sequence[int | str]) -> str:
    # What comes first says "body", "query" or "path". Names may be whatever somebody sent.
    name = one_line(".".join(str(part) for part in loc[1:]))
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _pointer(loc: Sequence[int | str]) -> str:
    # A fault of the JSON itself has a position instead of a name.
    names = loc[1:] if len(loc) != 2 or isinstance(loc[1], str) else ()
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in names]
    return "#" + "".join(f"/{one_line(part)[:_LONGEST_NAME]}" for part in parts)
