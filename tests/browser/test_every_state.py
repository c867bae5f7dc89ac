"""Every state of the page in every size and both themes: whoever comes can see, reach and read.

A state is reached once, on a desk; then the window is made smaller and large again, and the theme
changed, as on a telephone that is turned or a computer in the evening.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from acting import resize, still
from playwright.sync_api import Page, expect
from serving import Server
from states import WALKS, Walk
from watching import SIZES, covered, overflowing, unmarked_focus, violations

if TYPE_CHECKING:
    from watching import Visit

pytestmark = pytest.mark.browser

# axe-core takes most of the time. What it finds in structure and colours may differ between a
# desk and a small window, but hardly between one small window and another.
STRUCTURE = ("desk", "small")
COLOURS = {"desk": ("light", "dark"), "phone": ("dark",)}
WALKED = ("small", "desk")


def show(page: Page, theme: str) -> None:
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
    still(page)


def look(page: Page) -> list[str]:
    """Return everything that is wrong with what the page shows; leave it as it was."""
    faults = []
    for size in SIZES:
        resize(page, size)
        wrong = overflowing(page) + [f"out of the window: {one}" for one in covered(page)]
        if size in STRUCTURE:
            wrong += violations(page, "structure")
        for theme in COLOURS.get(size, ()):
            show(page, theme)
            wrong += [f"{theme}: {one}" for one in violations(page, "colours")]
        faults += [f"{size}: {one}" for one in wrong]
    show(page, "light")
    focused = page.evaluate_handle("document.activeElement")
    for size in WALKED:
        resize(page, size)
        faults += [f"{size}: {one}" for one in unmarked_focus(page)]
        focused.evaluate("element => element.focus()")
    return faults


@pytest.mark.parametrize(
    "walk",
    [pytest.param(w, id=w.name, marks=[] if w.everyday else pytest.mark.slow) for w in WALKS],
)
def test_every_state_is_for_everyone(
    walk: Walk, visit: Visit, servers: Callable[[str], Server]
) -> None:
    server = servers(walk.kind)
    page = visit(walk.kind)
    page.emulate_media(reduced_motion="reduce")
    try:
        for state in walk.steps(page, server):
            assert look(page) == [], state
    finally:
        server.go_on()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_takes_the_theme_of_the_system(theme: str, visit: Visit) -> None:
    page = visit(theme=theme)
    dark = page.locator("body.dark")
    expect(dark).to_have_count(1 if theme == "dark" else 0)


def test_whoever_wants_no_motion_gets_none(visit: Visit) -> None:
    page = visit()
    page.emulate_media(reduced_motion="reduce")
    page.locator("#open-documents").click()
    moving = page.evaluate(
        "() => document.getAnimations().filter((one) => one.playState === 'running').length"
    )
    assert moving == 0
