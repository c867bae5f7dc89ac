"""The page that asks for the password: plain HTML, made here, that works without script."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from qa.text import LANGUAGE, text
from qa.visible import one_line
from qa.web.settings import STATIC

__all__ = ["LOGIN_FILES", "LoginPage", "safe_next"]

# What the page loads; these are served to everyone.
LOGIN_FILES = frozenset(
    f"{STATIC}/{name}" for name in ("tokens.css", "login.css", "login.js", "icon.svg")
)

# Addresses below the page itself. A browser reads "//host", "/\host" and "scheme:" as elsewhere.
_NEXT = re.compile(r"(?![/:])[A-Za-z0-9._~!$&'()*+,;=@%/?#:-]*")
_MOST_NEXT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage:
    """The page in one of its states.

    Attributes:
        title: What the server is called.
        next: Where to go afterwards, from `safe_next`.
        problem: Why the last try failed, or "".
        notice: What has just happened, or "".
    """

    title: str
    next: str = ""
    problem: str = ""
    notice: str = ""

    def html(self) -> str:
        """Return the whole page; its addresses are relative to it."""
        folder = STATIC.removeprefix("/")
        name = one_line(self.title)
        said = ""
        if self.problem:
            said = f'<p id="problem" role="alert">{html.escape(self.problem)}</p>'
        elif self.notice:
            said = f'<p id="notice" role="status">{html.escape(self.notice)}</p>'
        wrong = ' aria-invalid="true" aria-describedby="problem"' if self.problem else ""
        return f"""<!doctype html>
<html lang="{LANGUAGE}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{_text("title", title=name)}</title>
<link rel="icon" href="{folder}/icon.svg">
<link rel="stylesheet" href="{folder}/tokens.css">
<link rel="stylesheet" href="{folder}/login.css">
<script type="module" src="{folder}/login.js"></script>
</head>
<body>
<main>
<p class="name" dir="auto">{html.escape(name)}</p>
<h1>{_text("heading")}</h1>
<p class="what">{_text("what")}</p>
{said}
<form method="post" action="login">
<input type="hidden" name="next" value="{html.escape(self.next)}">
<input type="text" name="username" value="quoth" autocomplete="username" hidden>
<label for="password">{_text("password")}</label>
<input id="password" type="password" name="password" autocomplete="current-password"
 maxlength="1000" required autofocus{wrong}>
<label class="shown" hidden><input type="checkbox"> {_text("show")}</label>
<button type="submit">{_text("submit")}</button>
</form>
</main>
</body>
</html>
"""


def safe_next(address: str) -> str:
    """Return `address` if it is one below the page, as "?chat=…" is, else "": the page itself."""
    if len(address) > _MOST_NEXT or not _NEXT.fullmatch(address):
        return ""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    if ":" in path or "//" in path or ".." in path.replace("%2e", ".").replace("%2E", "."):
        return ""
    # Coming back to the form would be no way on.
    return "" if path.startswith(("login", "logout")) else address


def _text(key: str, **values: object) -> str:
    return html.escape(text(f"login.{key}", **values))
