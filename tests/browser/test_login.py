"""Signing in, staying in, going out: a real server with a password, behind a real proxy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest
from acting import ask, panel, ready, resize, still
from playwright.sync_api import Browser, Page, expect
from proxy import Path, free_port, proxy
from serving import Server, serve
from small import write
from walking import addresses
from watching import SIZES, overflowing, unmarked_focus, violations

from qa.web.login_page import LOGIN_FILES
from qa.web.password import Password

if TYPE_CHECKING:
    from watching import Somebody

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = "correct horse battery"
HOUSE = {
    "garden.md": "# Garden rules\n\nDogs are kept on a lead in the garden. Cats may walk freely.\n",
    "lift.txt": "The lift is inspected every twelve months by an engineer from outside.",
}
DOGS = "Where are dogs kept on a lead?"


class Guarded:
    """A server with a password, as browsers reach it."""

    def __init__(self, server: Server, direct: str, token: str, path: Path) -> None:
        self.server, self.direct, self.token, self.path = server, direct, token, path
        self.address = server.address


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server behind a proxy at /quoth."""
    folder = tmp_path_factory.mktemp("guarded")
    file = folder / "password"
    password, token = Password.of(WORDS).with_token("test")
    password.write(file)
    port, inner = free_port(), free_port()
    direct = f"http://127.0.0.1:{inner}"
    arguments = ["--port", str(inner), "--public-url", f"http://127.0.0.1:{port}/quoth"]
    house = write(folder / "house", HOUSE)
    with (
        proxy(port, direct, path="/quoth") as path,
        serve(folder / "house.quoth", house, *arguments, "--password-file", file) as server,
    ):
        yield Guarded(server, direct, token, path)


def enter(page: Page, words: str = WORDS) -> None:
    """Type the password and send it with Enter, as people do."""
    page.get_by_label("Password", exact=True).fill(words)
    page.keyboard.press("Enter")


def signed_in(page: Page, place: Guarded, query: str = "") -> Page:
    """Sign in and return the page."""
    page.goto(f"{place.address}/{query}")
    enter(page)
    ready(page)
    return page


@pytest.mark.parametrize("strip", [False, True], ids=["path-kept", "path-taken-off"])
def test_the_whole_page_works_under_a_path(place: Guarded, somebody: Somebody, strip: bool) -> None:
    place.path.strip = strip
    page = somebody(place.address)  # which may ask nothing of what else lives at that host
    used: set[tuple[str, str]] = set()
    note = lambda request: used.add((request.method, request.url))  # noqa: E731 - taken off again
    page.on("request", note)
    page.goto(place.address)  # without the slash at the end
    expect(page).to_have_title("Sign in · Quoth")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    enter(page, "wrong horse battery")
    said = page.get_by_role("alert")
    expect(said).to_have_text("That is not the password. Try again.")
    field = page.get_by_label("Password", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "problem")
    enter(page)
    ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Quoth")
    assert page.url.startswith(f"{place.address}/")
    answer = ask(page, DOGS)
    expect(answer).to_contain_text("Dogs are kept on a lead in the garden.")
    answer.locator("a.cite").first.click()
    expect(panel(page).locator("mark").first).to_contain_text("Dogs are kept on a lead")
    page.reload()
    expect(panel(page).locator("mark").first).to_contain_text("Dogs are kept on a lead")
    page.remove_listener("request", note)
    closed_to_strangers(place, used)


def closed_to_strangers(place: Guarded, used: set[tuple[str, str]]) -> None:
    """What a whole visit asked for, ours and Gradio's, asked again by somebody else."""
    parts = {"/gradio_api/queue/join", "/gradio_api/queue/data", "/config", "/assets/", "/api/"}
    for part in parts:
        assert any(f"/quoth{part}" in url for _, url in used), part
    closed = 0
    with httpx2.Client(trust_env=False) as stranger:
        for method, url in sorted(used):
            path = urlsplit(url).path.removeprefix("/quoth")
            if url == place.address or path in ("/login", "/logout") or path in LOGIN_FILES:
                continue
            status = stranger.request(method, url).status_code
            assert status == 401, (method, url)
            closed += 1
    assert closed > 30


def test_a_citation_that_was_sent_is_there_after_signing_in(
    place: Guarded, somebody: Somebody
) -> None:
    """The server never sees what follows the `#`."""
    mine, theirs = somebody(place.address), somebody(place.address)
    link = ask(signed_in(mine, place), DOGS).locator("a.cite").first.get_attribute("href")
    page = signed_in(theirs, place, f"?from=mail{link}")
    assert page.url == f"{place.address}/?from=mail{link}"
    expect(panel(page).locator("mark").first).to_contain_text("Dogs are kept on a lead")


def test_signing_out_closes_everything_and_an_open_page_notices(
    place: Guarded, somebody: Somebody
) -> None:
    page = signed_in(somebody(place.address), place)
    ask(page, DOGS)
    other = page.context.new_page()
    other.goto(f"{place.address}/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("status")).to_have_text("You are signed out.")
    other.go_back()
    expect(other.get_by_label("Password", exact=True)).to_be_visible()
    other.goto(f"{place.address}/")
    expect(other).to_have_title("Sign in · Quoth")
    page.bring_to_front()
    box = page.get_by_role("textbox", name="Question", exact=True)
    box.fill("How often is the lift inspected?")
    box.press("Enter")
    dialog = page.get_by_role("dialog", name="You have been signed out")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("heading")).to_be_focused()
    still(page)
    assert violations(page) == []
    expect(page.locator("#chat")).to_contain_text("Dogs are kept on a lead")
    dialog.get_by_role("link", name="Sign in", exact=True).click()
    enter(page)
    ready(page)
    expect(page.locator("#chat .answer")).to_have_count(1)
    expect(ask(page, "How often is the lift inspected?")).to_contain_text("every twelve months")


def test_without_script_one_can_sign_in(place: Guarded, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{place.address}/api/health")
    enter(page)
    expect(page.locator("body")).to_contain_text('"status":"ok"')
    assert page.url == f"{place.address}/api/health"
    context.close()


def test_the_form_keeps_nobody_out(place: Guarded, somebody: Somebody) -> None:
    page = somebody(place.address)
    page.emulate_media(reduced_motion="reduce")
    for query in ("", "?out=1"):
        page.goto(f"{place.address}/login{query}")
        looks_right(page)
    enter(page, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    looks_right(page)
    page.get_by_label("Show password").check()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    for size in SIZES:
        resize(page, size)
        assert unmarked_focus(page) == [], size
    signed_in(page, place)  # so that the failure is forgotten


def looks_right(page: Page) -> None:
    """Fail if the form keeps somebody out, in any size and theme."""
    for size in SIZES:
        resize(page, size)
        assert overflowing(page) == [], size
        assert violations(page, "structure") == [], size
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        still(page)
        assert violations(page, "colours") == [], theme


# Without a browser


def test_every_route_is_closed_without_a_session(place: Guarded) -> None:
    """Ours and Gradio's, also those that the page never uses; none is known by its name here."""
    every = routes_of_gradio()
    assert {"/gradio_api/queue/join", "/config", "/"} <= {path for _, path in every}
    assert len(every) > 50
    with httpx2.Client(base_url=place.direct, trust_env=False) as stranger:
        for method, path in sorted(every):
            if path in ("/login", "/logout"):
                continue  # ours answer there
            status = stranger.request(method, path).status_code
            assert status in (401, 404), (method, path)
        assert stranger.get("/logout").status_code == 405
    # With a token the guard still closes what the page does not need.
    bearer = {"authorization": f"Bearer {place.token}"}
    with httpx2.Client(base_url=place.direct, headers=bearer, trust_env=False) as program:
        for path in ("/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/monitoring"):
            assert program.get(path).status_code == 404


def routes_of_gradio() -> set[tuple[str, str]]:
    """Return what a page of Gradio answers, from an application of its own."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio
    from fastapi import FastAPI

    app = FastAPI()
    with gradio.Blocks() as blocks:
        gradio.Markdown("hello")
    gradio.mount_gradio_app(app, blocks, path="")
    return addresses(app)


def test_a_program_asks_with_its_token(place: Guarded) -> None:
    headers = {"authorization": f"Bearer {place.token}"}
    body = {"question": DOGS}
    for address in (place.address, place.direct):
        with httpx2.Client(base_url=address, headers=headers, trust_env=False) as program:
            reply = program.post(f"{address}/api/ask", json=body, timeout=60)
            assert reply.status_code == 200
            assert "Dogs are kept on a lead" in reply.text
            assert "set-cookie" not in reply.headers


def test_guessing_gets_slower(place: Guarded) -> None:
    """By the address that the proxy saw; a forged one in front of it changes nothing."""
    headers = {"x-forwarded-for": "198.51.100.77"}
    with httpx2.Client(trust_env=False) as guesser:

        def guess() -> httpx2.Response:
            form = {"password": "not the password"}
            return guesser.post(f"{place.direct}/login", data=form, headers=headers)

        assert [guess().status_code for _ in range(5)] == [401] * 5
        refused = guess()
        assert refused.status_code == 429
        time.sleep(int(refused.headers["retry-after"]))
        assert guess().status_code == 401
