"""Whether a request has a shape that an honest client sends, before anyone looks at what it says.

Two programs that read a request differently can be played off against each other (request
smuggling, path confusion), and what has no limit can be made long. So what is ambiguous is refused
and not mended.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["Fault", "few_ranges", "malformed"]

LONGEST_ADDRESS = 20_000  # bytes of path and query: a page may be asked for with 500 spans
MOST_HEADERS = 100
LONGEST_HEADERS = 16_000  # bytes of all names and values
_MOST_RANGES = 4
# A browser resolves these before it sends a request, so that only a trick still has them.
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")

Fault = tuple[int, str]  # status and sentence


def malformed(scope: Scope, headers: dict[str, str]) -> Fault | None:
    """Return what is wrong with the shape of a request, or None.

    Args:
        scope: The request.
        headers: By name in lower case, see `qa.web.guard`.
    """
    path = scope["path"]
    length = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    if length > LONGEST_ADDRESS:
        return 414, f"The address is longer than {LONGEST_ADDRESS:,} characters."
    if len(scope["headers"]) > MOST_HEADERS:
        return 431, f"The request has more than {MOST_HEADERS} headers."
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEADERS:
        return 431, f"The headers are longer than {LONGEST_HEADERS:,} characters."
    if not path.startswith("/"):  # "*", or a whole address, as proxies are asked
        return 400, "This address is not well formed."
    if _ODD.search(path) or _DOTS.search(path):
        return 404, "There is nothing here."
    if "content-length" in headers and "transfer-encoding" in headers:
        return 400, "The request says in two ways how long it is."
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        return 415, "Send the request without compression."
    return None


def few_ranges(scope: Scope) -> Scope:
    """Return the request without a `Range` of many parts, so that it is answered as a whole.

    That is what RFC 9110, section 14.2, advises: a thousand overlapping ranges of one file would
    be a thousand files to send.
    """
    if not any(
        name == b"range" and value.count(b",") >= _MOST_RANGES for name, value in scope["headers"]
    ):
        return scope
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"range", b"if-range")]
    return {**scope, "headers": kept}
