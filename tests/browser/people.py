"""The people who come to the page: each a browser of its own that stays open from test to test.

What takes long is opening a browser window and loading everything for the first time. So windows
are kept, and only what a person would leave behind is cleared away.
"""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, Error, Page
from watching import SIZES

__all__ = ["People"]


class People:
    """Windows of a browser, each with cookies and storage that no other sees."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._pages: list[Page] = []

    def somebody(self, number: int, *, size: str = "desk", theme: str = "light") -> Page:
        """Return the page of person `number`, counted from 0, who was never here before."""
        while len(self._pages) <= number:
            self._pages.append(self._browser.new_context().new_page())
        page = self._pages[number]
        page.context.clear_cookies()
        page.context.clear_permissions()
        page.set_viewport_size({"width": SIZES[size].width, "height": SIZES[size].height})
        page.emulate_media(
            media="null",
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="null",
        )
        return page

    def leaves(self, page: Page) -> None:
        """Clear away what a person kept in the browser, and the tabs that they opened."""
        for tab in page.context.pages:
            with suppress(Error):  # a page that failed to load keeps nothing
                tab.evaluate("localStorage.clear(), sessionStorage.clear()")
            if tab is not page:
                tab.close()

    def forget(self, page: Page) -> None:
        """Close the window for good, as after a test that failed; nobody knows how it is left."""
        self._pages.remove(page)
        with suppress(Error):  # a browser that crashed has no pages left
            page.context.close()
