"""The real page: `quoth chat` in processes of their own, and Chromium.

A test takes `page`, or `visit` for several pages (each another person), another server, size or
theme. Every page is watched: no request leaves the machine, nothing fails in the console. Where a
test fails, screenshot, HTML and console of its pages are kept in test-results/.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("acting", "detector", "watching")  # they assert too

from acting import ready  # noqa: E402
from detector import Detector  # noqa: E402
from hostile_house import serve_hostile  # noqa: E402
from material import TITLE, house, renew  # noqa: E402
from people import People  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from serving import Running, Server  # noqa: E402
from small import write  # noqa: E402
from watching import Somebody, Visit, Watched  # noqa: E402

from index import Library  # noqa: E402

if TYPE_CHECKING:
    from index.types import Encoder

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember whether a test failed, for the fixtures that end after it."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Running]:
    """Servers that run until the end, by kind; tests take `servers` rather."""

    def make(kind: str) -> tuple[Path, list[str | Path]]:
        path = tmp_path_factory.mktemp(kind).resolve() / "house.quoth"
        titled: list[str | Path] = ["--title", TITLE]
        if kind == "house":
            return path, [house(path.with_suffix("")), *titled]
        renew(path, encoder)
        if kind == "working":
            return path, titled
        with Library.open(path, encoder=encoder) as library:
            library.sync(write(path.with_suffix(""), {"broken.pdf": b"%PDF-1.4 cut"}))
        return path, [*titled, "--read-only"]

    running = Running(make)
    yield running
    running.close()


@pytest.fixture
def servers(running: Running, encoder: Encoder) -> Callable[[str], Server]:
    """Running servers by kind.

    The kinds are `house` (its documents stay as they are), `read-only`, and those for tests that
    add and remove, whose documents are renewed for each: `working` has a few, `empty` none.
    """
    given: dict[str, Server] = {}

    def server(kind: str) -> Server:
        if kind in ("house", "read-only"):
            return running(kind)
        if kind not in given:
            given[kind] = running("working")
            renew(given[kind].library, encoder)
            if kind == "empty":
                with Library.open(given[kind].library, encoder=encoder) as library:
                    library.remove(given[kind].library.with_suffix(""))
        return given[kind]

    return server


@pytest.fixture(scope="session")
def address(running: Running) -> str:
    """Where a server over the documents of a house answers."""
    return running("house").address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without it a failure where QUOTH_REQUIRE_BROWSER=1, else a skip."""
    executable = CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium")
    if executable is None:
        if os.environ.get("QUOTH_REQUIRE_BROWSER") == "1":
            pytest.fail("Chromium is missing, and QUOTH_REQUIRE_BROWSER=1 asks for it")
        pytest.skip("Chromium is not installed (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def people(browser: Browser) -> People:
    """Whoever comes to the page."""
    return People(browser)


@pytest.fixture
def somebody(request: pytest.FixtureRequest, people: People) -> Iterator[Somebody]:
    """Gives pages where nothing is loaded, and watches them; see `watching.Somebody`."""
    given: list[Watched] = []

    def somebody(address: str, *, size: str = "desk", theme: str = "light") -> Page:
        page = people.somebody(len(given), size=size, theme=theme)
        if not page.url.startswith(address):
            page.goto("about:blank")  # what is open asks another server
        given.append(Watched(page, address))
        return page

    yield somebody
    try:
        if not request.node.stash.get(_FAILED, False):
            for watched in given:
                watched.check()
    except AssertionError:
        request.node.stash[_FAILED] = True
        raise
    finally:
        for number, watched in enumerate(given, start=1):
            if request.node.stash.get(_FAILED, False):
                watched.keep(f"{request.node.name}-{number}")
                people.forget(watched.page)
            else:
                people.leaves(watched.page)


@pytest.fixture
def visit(somebody: Somebody, servers: Callable[[str], Server]) -> Visit:
    """Opens pages and watches them; see `watching.Visit`."""

    def visit(
        kind: str = "house", query: str = "", *, size: str = "desk", theme: str = "light"
    ) -> Page:
        address = servers(kind).address
        page = somebody(address, size=size, theme=theme)
        target = f"{address}/{query}"
        if page.url.partition("#")[0] == target.partition("#")[0]:
            page.goto("about:blank")  # or only the fragment would change
        page.goto(target)
        ready(page)
        return page

    return visit


@pytest.fixture(params=[""])
def page(request: pytest.FixtureRequest, visit: Visit) -> Page:
    """The page of the house, 1280 x 800; parametrise indirectly with what follows the address."""
    return visit(query=request.param)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Server]:
    """A server over documents made of every payload; see `payloads`."""
    with serve_hostile(tmp_path_factory.mktemp("hostile").resolve(), encoder) as server:
        yield server


@pytest.fixture
def seen(browser: Browser) -> Iterator[Detector]:
    """A browser without content security policies, watched; see `detector`."""
    detector = Detector(browser)
    yield detector
    detector.close()
