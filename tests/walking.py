"""Every address of an application, for tests of what stands before all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["METHODS", "addresses"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def addresses(app: object) -> set[tuple[str, str]]:
    """Return method and an address for each route of `app` and of all that is mounted into it.

    Raises:
        TypeError: There is something among the routes that is not understood here.
    """
    return set(_walk(app, ""))


def _walk(part: Any, prefix: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any application
    for route in part.routes:
        path = prefix + re.sub(r"\{[^}]*\}", "1", getattr(route, "path", "") or "")
        # FastAPI keeps an included router as it is, beside what the including one adds.
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from _walk(router, path + route.include_context.prefix)
        elif hasattr(getattr(route, "app", None), "routes"):
            yield from _walk(route.app, path)
        elif hasattr(route, "path"):
            # Without methods it is a folder of files, another kind of application, or a socket.
            for method in getattr(route, "methods", None) or {"GET"}:
                yield method, path or "/"
        else:
            raise TypeError(f"{type(route).__name__} has neither an address nor routes")
