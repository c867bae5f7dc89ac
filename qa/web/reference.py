"""The description of the API as a page of plain HTML: it needs neither script nor network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from qa.text import LANGUAGE, text
from qa.web.settings import STATIC

__all__ = ["page"]

Schema = Mapping[str, Any]

_REF = "#/components/schemas/"
_CODE = re.compile(r"`([^`]+)`")
_TYPES = ("null", "boolean", "integer", "number", "string", "object")
_FILE = {"format": "binary"}  # what a reply without a schema holds
_STYLES = ("tokens", "system", "reference")


def page(description: Schema, *, root: str = "") -> str:
    """Return the page about the API that an OpenAPI description describes.

    Args:
        description: OpenAPI 3.1.
        root: Where the server lives for browsers: "", or a path such as "/quoth".
    """
    title = text("reference.title", name=description["info"]["title"])
    base = f"{root}{description['servers'][0]['url']}"
    styles = [f'<link rel="stylesheet" href="{escape(root)}{STATIC}/{s}.css">' for s in _STYLES]
    return (
        f'<!DOCTYPE html><html lang="{LANGUAGE}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title>{''.join(styles)}</head><body>"
        f'<a class="skip" href="#content">{_say("skip")}</a>'
        f"{_contents(description)}"
        f'<main id="content" tabindex="-1"><header><h1>{escape(title)}</h1>'
        f"{_prose(description['info']['summary'])}{_prose(description['info']['description'])}"
        f"{_prose(text('reference.address', address=f'`{base}`', newest=f'`{root}/api`'))}"
        f'<p><a href="openapi.json">{_say("download")}</a></p></header>'
        f"{''.join(_groups(description, base))}{_types(description)}</main></body></html>"
    )


def _contents(description: Schema) -> str:
    parts = []
    for tag in description["tags"]:
        links = "".join(
            f'<li><a href="#{_anchor(operation)}"><span class="method">{method.upper()}</span> '
            f"<span>{_address(path)}</span></a></li>"
            for method, path, operation in _operations(description, tag["name"])
        )
        parts.append(f"<li>{escape(tag['name'].capitalize())}<ul>{links}</ul></li>")
    parts.append(f'<li><a href="#types">{_say("types")}</a></li>')
    return f'<nav aria-label="{_say("contents")}"><ul>{"".join(parts)}</ul></nav>'


def _groups(description: Schema, base: str) -> Iterator[str]:
    types = description["components"]["schemas"]
    for tag in description["tags"]:
        operations = "".join(
            _operation(method, f"{base}{path}", operation, types)
            for method, path, operation in _operations(description, tag["name"])
        )
        yield (
            f"<section><h2>{escape(tag['name'].capitalize())}</h2>"
            f"{_prose(tag['description'])}{operations}</section>"
        )


def _operations(description: Schema, tag: str) -> Iterator[tuple[str, str, Schema]]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if tag in operation.get("tags", ()):
                yield method, path, operation


def _anchor(operation: Schema) -> str:
    return escape(operation["operationId"])


def _address(path: str) -> str:
    return escape(path).replace("/", "/<wbr>")


def _operation(method: str, address: str, operation: Schema, types: Schema) -> str:
    return (
        f'<article id="{_anchor(operation)}"><h3><span class="method">{method.upper()}</span> '
        f"<code>{_address(address)}</code></h3>{_prose(operation.get('description', ''))}"
        f"{_parameters(operation)}{_body(operation, types)}{_replies(operation)}</article>"
    )


def _parameters(operation: Schema) -> str:
    entries = [
        _entry(
            each["name"],
            each["schema"],
            each.get("description", ""),
            notes=[_say(f"in_{each['in']}")],
            required=each.get("required", False),
        )
        for each in operation.get("parameters", ())
    ]
    return _list("parameters", entries)


def _body(operation: Schema, types: Schema) -> str:
    parts = []
    for kind, each in operation.get("requestBody", {}).get("content", {}).items():
        schema = each.get("schema", {})
        fields = types.get(schema.get("$ref", "").removeprefix(_REF), schema)
        parts.append(
            f'<h4>{_say("body")} <span class="note">{escape(kind)}</span></h4>{_fields(fields)}'
        )
    return "".join(parts)


def _replies(operation: Schema) -> str:
    entries = []
    for status, reply in operation["responses"].items():
        kinds = [
            f"{_type(each.get('schema', _FILE))} <span class='note'>{escape(kind)}</span>"
            for kind, each in reply.get("content", {}).items()
        ]
        said = _inline(reply["description"])
        entries.append(_named(status, ", ".join(kinds) or _say("nothing"), said))
    return _list("replies", entries)


def _types(description: Schema) -> str:
    parts = [
        f'<article id="type-{escape(name)}"><h3>{escape(name)}</h3>'
        f"{_prose(schema.get('description', ''))}{_fields(schema)}</article>"
        for name, schema in description["components"]["schemas"].items()
    ]
    lead = _prose(text("reference.types_lead"))
    return f'<section id="types"><h2>{_say("types")}</h2>{lead}{"".join(parts)}</section>'


def _fields(schema: Schema) -> str:
    required = schema.get("required", ())
    entries = [
        _entry(name, each, each.get("description", ""), required=name in required)
        for name, each in schema.get("properties", {}).items()
    ]
    return f"<dl>{''.join(entries)}</dl>" if entries else f"<p>{_type(schema)}</p>"


def _list(heading: str, entries: list[str]) -> str:
    return f"<h4>{_say(heading)}</h4><dl>{''.join(entries)}</dl>" if entries else ""


def _entry(
    name: str, schema: Schema, said: str, *, required: bool, notes: list[str] | None = None
) -> str:
    notes = list(notes or ())
    if required:
        notes.append(_say("required"))
    elif schema.get("default") is not None:
        value = json.dumps(schema["default"], ensure_ascii=False)
        notes.append(escape(text("reference.default", value=value)))
    told = f' <span class="note">{", ".join(notes)}</span>' if notes else ""
    return _named(name, f"{_type(schema)}{told}", _inline(said))


def _named(name: str, type_: str, said: str = "") -> str:
    told = f"<dd>{said}</dd>" if said else ""
    return f"<dt><code>{escape(name)}</code></dt><dd>{type_}</dd>{told}"


def _type(schema: Schema) -> str:
    """Return what values a schema allows, in words, with links to the types it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(_REF))
        return f'<a href="#type-{name}">{name}</a>'
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return f" {_say('or')} ".join(_type(each) for each in schema[several])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        shown = [f"<code>{escape(json.dumps(value))}</code>" for value in values]
        return f" {_say('or')} ".join(shown)
    kind = schema.get("type")
    if kind == "array":
        return _of("list", schema.get("items", {}))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return _of("map", schema["additionalProperties"])
    if schema.get("format") in ("date", "binary"):
        return _say(schema["format"])
    return _say(kind) if kind in _TYPES else _say("any")


def _of(word: str, schema: Schema) -> str:
    # The words are ours; what is put in between is markup already.
    before, _, after = escape(text(f"reference.{word}", type="\0")).partition("\0")
    return f"{before}{_type(schema)}{after}"


def _prose(said: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in said.split("\n\n") if part.strip())


def _inline(said: str) -> str:
    return _CODE.sub(lambda match: f"<code>{match[1]}</code>", escape(said))


def _say(word: str) -> str:
    return escape(text(f"reference.{word}"))
