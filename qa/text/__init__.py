"""Every word of the interface, in one place: `en/*.json`, a file for each part of the page.

A translation is another folder beside `en`. The script of the page gets the same words from
`/_quoth/text.json`, so that Python and JavaScript never say the same thing differently.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["LANGUAGE", "all_text", "text"]

LANGUAGE = "en"
_FOLDER = Path(__file__).parent


@cache
def all_text(language: str = LANGUAGE) -> dict[str, dict[str, Any]]:
    """Return every text of a language by part and key."""
    files = sorted((_FOLDER / language).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def text(name: str, /, **values: object) -> str:
    """Return the text called `part.key`, with `{name}` filled in from `values`.

    A text with a plural is `{"one": …, "other": …}`; the number `n` decides.

    Raises:
        KeyError: There is no such text, or a value is missing.
    """
    part, _, key = name.partition(".")
    found = all_text()[part][key]
    if isinstance(found, dict):
        found = found["one" if values["n"] == 1 else "other"]
    shown = {k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()}
    return str(found.format(**shown))
