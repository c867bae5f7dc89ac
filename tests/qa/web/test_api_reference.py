"""The description of the API: kept in step with the routes, and readable without a network."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lxml.html
import pytest
from fastapi.testclient import TestClient
from served import served

from qa.web.address import PublicAddress
from qa.web.app import create_app
from qa.web.openapi import API_V1, FILE, as_text, published
from qa.web.settings import STATIC, PageSettings

if TYPE_CHECKING:
    from index import Library

ROOT = Path(__file__).parents[3]
STYLES = ROOT / "qa" / "web" / "static"
GUIDE = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.fixture
def description(client: TestClient) -> dict[str, Any]:
    """What the server says about its API."""
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, found in description["paths"].items()
        for method, operation in found.items()
    ]


def test_the_description_in_the_repository_is_that_of_the_server() -> None:
    kept = (ROOT / FILE).read_text("utf-8")
    assert kept == as_text(published()), "run `python -m qa.web.openapi`"


def test_each_version_describes_itself(client: TestClient) -> None:
    newest = client.get("/api/openapi.json").json()
    first = client.get(f"{API_V1}/openapi.json").json()
    assert newest.pop("servers") == [{"url": "/api"}]
    assert first.pop("servers") == [{"url": API_V1}]
    assert newest == first
    assert newest["openapi"].startswith("3.1")


def test_every_route_is_described_with_its_types(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for *_, operation in operations(description)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in description["tags"]}
    for method, path, operation in operations(description):
        place = f"{method} {path}"
        assert operation["description"].strip(), place
        assert set(operation["tags"]) <= tags, place
        for status, reply in operation["responses"].items():
            for kind, content in reply.get("content", {}).items():
                assert content.get("schema") or "json" not in kind, f"{place} {status} {kind}"
                if status >= "400":
                    assert kind == "application/problem+json", place


def test_what_the_description_names_is_in_it(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert named <= set(schemas)
    assert "HTTPValidationError" not in schemas


def strings(page: lxml.html.HtmlElement, xpath: str) -> list[str]:
    found = page.xpath(xpath)
    assert isinstance(found, list)
    return [str(each) for each in found]


def test_the_page_about_the_api_holds_everything_and_loads_nothing_foreign(
    client: TestClient, description: dict[str, Any]
) -> None:
    reply = client.get("/api/docs")
    assert reply.headers["content-type"].startswith("text/html")
    page = lxml.html.fromstring(reply.text)
    assert not page.xpath("//script | //iframe | //form | //img")
    assert not page.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")
    text = "".join(strings(page, "//body//text()"))
    for method, path, _ in operations(description):
        assert f"{method.upper()} {API_V1}{path}" in text
    for name in description["components"]["schemas"]:
        assert page.xpath(f"//article[@id='type-{name}']")
    ids = strings(page, "//@id")
    assert len(ids) == len(set(ids))
    for link in strings(page, "//a/@href"):
        assert link == "openapi.json" or link[1:] in ids
    for style in strings(page, "//link[@rel='stylesheet']/@href"):
        assert client.get(style).status_code == 200
    assert client.get("/api/v1/docs").text == reply.text


def test_behind_a_proxy_addresses_begin_where_browsers_find_the_server(library: Library) -> None:
    public = PublicAddress.parse("https://example.org/quoth")
    app = create_app(library, settings=PageSettings(public=public))
    with TestClient(app, base_url="https://example.org") as client:
        for version in ("/api", API_V1):
            said = client.get(f"{version}/openapi.json").json()
            assert said["servers"] == [{"url": f"/quoth{version}"}]
        page = lxml.html.fromstring(client.get("/api/docs").text)
        assert strings(page, "//link[@rel='stylesheet']/@href")[0].startswith(f"/quoth{STATIC}/")


def test_pages_without_script_have_the_colours_of_the_others() -> None:
    def colours(css: str, selector: str) -> dict[str, str]:
        block = re.search(rf"{re.escape(selector)} {{(.*?)}}", css, re.S)
        assert block is not None
        return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block[1]))

    tokens = (STYLES / "tokens.css").read_text("utf-8")
    system = (STYLES / "system.css").read_text("utf-8")
    dark = colours(tokens, "body.dark")
    assert dark
    assert colours(system, "  body") == dark


def curls() -> list[str]:
    """Return the commands of the guide, one by one."""
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip()]


def test_every_command_of_the_guide_works(library: Library) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")
    commands = curls()
    assert len(commands) > 6
    with served(create_app(library)) as address:
        for command in commands:
            words = shlex.split(command.replace("http://127.0.0.1:7860", address))
            assert words.pop(0) == "curl"
            done = subprocess.run(
                [curl, "--fail-with-body", *words], capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            if "event-stream" in command:
                assert "\nevent: answer\n" in done.stdout
            elif "export" in command:
                assert done.stdout.startswith("# ")
            else:
                assert json.loads(done.stdout)


def test_the_guide_names_what_there_is(description: dict[str, Any]) -> None:
    routes = set(re.findall(r"/api/v1(/[\w/-]*)", GUIDE))
    paths = [path for _, path, _ in operations(description)]
    for route in routes - {"/"}:
        first = route.split("/")[1]
        assert any(path.split("/")[1] == first for path in paths), route


def test_the_styles_are_served_where_the_page_looks_for_them(client: TestClient) -> None:
    for name in ("tokens", "system", "reference"):
        reply = client.get(f"{STATIC}/{name}.css")
        assert reply.headers["content-type"].startswith("text/css")
