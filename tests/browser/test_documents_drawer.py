"""The drawer with the documents: added, checked, chosen, removed, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acting import ask, documents, panel
from material import FEW
from playwright.sync_api import Locator, Page, expect
from small import write
from watching import violations

from index import Library

if TYPE_CHECKING:
    from serving import Server
    from watching import Visit

    from index.types import Encoder

pytestmark = pytest.mark.browser

WAIT = 30_000
POOL = "The swimming pool opens at seven in the morning."


@pytest.fixture
def house(servers: Callable[[str], Server]) -> Server:
    """A server over a few documents, for tests that change what others count."""
    return servers("working")


@pytest.fixture
def own(house: Server, visit: Visit) -> Page:
    """The page of `house`."""
    return visit("working")


def rows(drawer: Locator) -> Locator:
    return drawer.locator("#document-list li")


def test_documents_are_added_reported_and_removed(own: Page, tmp_path: Path) -> None:
    files = write(tmp_path, {"pool.txt": POOL, "broken.pdf": b"%PDF-1.4 cut"})
    drawer = documents(own)
    expect(drawer).to_contain_text("5 documents")
    drawer.locator("#files").set_input_files([files / "pool.txt", files / "broken.pdf"])
    report = drawer.locator("#activity .report")
    expect(report).to_contain_text("1 document added, 1 file could not be read.", timeout=WAIT)
    failure = drawer.locator("#failures li")
    expect(failure).to_contain_text("broken.pdf")
    expect(failure).to_contain_text("It is damaged, or of another kind than its name says.")
    expect(failure).to_contain_text("save a fresh copy, then add that.")
    expect(drawer.locator("#documents-count")).to_contain_text("6 documents")
    own.keyboard.press("Escape")
    expect(own.locator("#open-documents")).to_be_focused()
    answer = ask(own, "When does the swimming pool open?")
    expect(answer).to_contain_text(POOL)
    drawer = documents(own)
    remove = drawer.get_by_role("button", name="Remove pool.txt")
    remove.click()
    expect(drawer.locator("#choice")).to_contain_text("The uploaded copy is deleted.")
    own.keyboard.press("Escape")  # closes the question, not the drawer
    expect(remove).to_be_focused()
    own.keyboard.press("Enter")
    drawer.get_by_role("button", name="Remove", exact=True).click()
    expect(report).to_contain_text("1 document was removed.")
    expect(drawer.locator("#documents-count")).to_contain_text("5 documents")
    expect(drawer.locator("h2")).to_be_focused()


@pytest.mark.slow
def test_a_failure_is_dismissed_and_tried_again(own: Page, house: Server) -> None:
    folder = write(house.library.with_suffix(""), {"empty.txt": "", "photo.xyz": "x"})
    drawer = documents(own)
    drawer.get_by_role("button", name="Check for changes").click()
    drawer.get_by_role("button", name="Update now").click()
    group = drawer.locator("#failures")
    expect(group).to_contain_text("2 files could not be read", timeout=WAIT)
    group.get_by_role("button", name="Dismiss photo.xyz").click()
    expect(group).to_contain_text("1 file could not be read")
    expect(group.locator("h3")).to_be_focused()
    write(folder, {"empty.txt": POOL})
    group.get_by_role("button", name="Try again").click()
    expect(drawer.locator("#activity .report")).to_contain_text("1 document added", timeout=WAIT)
    expect(group).to_be_hidden()


@pytest.mark.slow
def test_a_folder_is_added_with_its_subfolders_and_without_hidden_files(
    own: Page, tmp_path: Path
) -> None:
    club = write(
        tmp_path / "club",
        {"pool.txt": POOL, "old/pool.txt": "The old pool is closed.", ".secret": "x"},
    )
    drawer = documents(own)
    drawer.locator("#folder").set_input_files(club)
    report = drawer.locator("#activity .report")
    expect(report).to_contain_text("2 documents added.", timeout=WAIT)
    expect(report).to_contain_text("1 hidden file was left out.")
    drawer.get_by_role("combobox", name="Folder").select_option("club")
    expect(rows(drawer)).to_have_count(2)
    expect(rows(drawer).filter(has_text="club/old")).to_have_count(1)


@pytest.mark.slow
def test_changes_are_shown_before_they_are_made(own: Page, house: Server) -> None:
    folder = house.library.with_suffix("")
    write(folder, {"pool.txt": POOL, "lift.txt": "The lift stands still."})
    (folder / "garden/gate.txt").rename(folder / "gate.txt")
    (folder / "old.txt").unlink()
    drawer = documents(own)
    expect(rows(drawer).filter(has_text="lift.txt")).to_contain_text("Changed since it was indexed")
    expect(rows(drawer).filter(has_text="old.txt")).to_contain_text("The file is gone")
    drawer.get_by_role("button", name="Check for changes").click()
    preview = drawer.locator("#activity .preview")
    expect(preview).to_contain_text("4 changes were found.", timeout=WAIT)
    for kind, path in (
        ("added", "pool.txt"),
        ("updated", "lift.txt"),
        ("renamed", "gate.txt"),
        ("removed", "old.txt"),
    ):
        expect(preview.locator(f".{kind} li")).to_have_text([path])
    expect(preview.locator("h3")).to_be_focused()
    assert violations(own) == []
    preview.get_by_role("button", name="Not now").click()
    expect(preview).to_be_hidden()
    expect(drawer.locator("#documents-count")).to_contain_text("5 documents")
    drawer.get_by_role("button", name="Check for changes").click()
    drawer.get_by_role("button", name="Update now").click()
    expect(drawer.locator("#activity .report")).to_contain_text(
        "1 document added, 1 document updated, 1 document renamed, 1 document removed.",
        timeout=WAIT,
    )
    expect(drawer).not_to_contain_text("Changed since it was indexed")


@pytest.mark.slow
def test_losing_more_than_half_is_asked(own: Page, house: Server) -> None:
    for file in (house.library.with_suffix("") / "garden").iterdir():
        file.unlink()
    drawer = documents(own)
    drawer.get_by_role("button", name="Check for changes").click()
    preview = drawer.locator("#activity .preview")
    expect(preview).to_contain_text("More than half of the documents of “house”", timeout=WAIT)
    drawer.get_by_role("button", name="Update, and remove them").click()
    expect(drawer.locator("#activity .report")).to_contain_text("3 documents removed", timeout=WAIT)


@pytest.mark.slow
def test_chosen_documents_are_what_is_searched(own: Page, house: Server) -> None:
    drawer = documents(own)
    everything = drawer.get_by_role("checkbox", name="Choose all documents that are shown")
    drawer.get_by_role("checkbox", name="Search in lift.txt").check()
    assert everything.evaluate("box => box.indeterminate") is True
    expect(drawer.locator("#choice")).to_contain_text("1 document chosen")
    own.keyboard.press("Escape")
    expect(own.locator("#scope")).to_contain_text("Searching 1 document")
    expect(ask(own, "Where are dogs kept on a lead?")).not_to_contain_text("Dogs are kept")
    # A changed document has another number and stays chosen.
    write(house.library.with_suffix(""), {"lift.txt": "The lift stands still at night."})
    drawer = documents(own)
    drawer.get_by_role("button", name="Check for changes").click()
    drawer.get_by_role("button", name="Update now").click()
    expect(drawer.locator("#activity .report")).to_contain_text("1 document updated", timeout=WAIT)
    expect(drawer.get_by_role("checkbox", name="Search in lift.txt")).to_be_checked()
    own.keyboard.press("Escape")
    expect(ask(own, "When does the lift stand still?")).to_contain_text("stands still at night")
    own.get_by_role("button", name="Search all documents again").click()
    expect(documents(own).get_by_role("checkbox", name="Search in lift.txt")).not_to_be_checked()


@pytest.mark.slow
def test_all_that_is_shown_can_be_chosen_and_removed(own: Page, house: Server) -> None:
    drawer = documents(own)
    drawer.get_by_role("searchbox", name="Search the list").fill("garden")
    expect(rows(drawer)).to_have_count(3)
    drawer.get_by_role("checkbox", name="Choose all documents that are shown").check()
    drawer.get_by_role("searchbox", name="Search the list").fill("")
    expect(rows(drawer)).to_have_count(5)
    drawer.get_by_role("button", name="Remove…").click()
    bar = drawer.locator("#choice")
    expect(bar).to_contain_text("Remove 3 documents from the answers?")
    expect(bar).to_contain_text("3 files stay where they are.")
    assert violations(own) == []
    bar.get_by_role("button", name="Remove", exact=True).click()
    expect(drawer.locator("#documents-count")).to_contain_text("2 documents")
    assert (house.library.with_suffix("") / "garden/dogs.txt").exists()
    own.keyboard.press("Escape")
    expect(own.locator("#scope")).to_be_hidden()


@pytest.mark.slow
def test_the_list_is_walked_and_chosen_with_the_keyboard(own: Page) -> None:
    drawer = documents(own)
    drawer.get_by_role("searchbox", name="Search the list").focus()
    own.keyboard.press("ArrowDown")
    expect(drawer.get_by_role("checkbox", name="Search in beds.txt")).to_be_focused()
    own.keyboard.press("Space")
    expect(drawer.locator("#choice")).to_contain_text("1 document chosen")
    own.keyboard.press("ArrowDown")
    own.keyboard.press("ArrowDown")
    own.keyboard.press("Shift+ArrowDown")
    expect(drawer.locator("#choice")).to_contain_text("3 documents chosen")
    own.keyboard.press("Home")
    own.keyboard.press("Space")
    expect(drawer.locator("#choice")).to_contain_text("2 documents chosen")
    own.keyboard.press("End")
    last = drawer.get_by_role("checkbox", name="Search in old.txt")
    expect(last).to_be_focused()
    own.keyboard.press("Delete")
    expect(drawer.locator("#choice")).to_contain_text("Remove “old.txt” from the answers?")
    own.keyboard.press("Escape")
    expect(last).to_be_focused()
    own.keyboard.press("Enter")
    expect(own).to_have_url(re.compile(r"#doc/\d+-[0-9a-f]{12}$"))
    expect(drawer).to_be_hidden()
    expect(panel(own)).to_contain_text("The cellar is dry.")


@pytest.mark.slow
def test_a_range_is_chosen_with_the_mouse_and_a_document_opened(page: Page) -> None:
    drawer = documents(page)
    drawer.get_by_role("checkbox", name="Search in garden.md").click()
    drawer.get_by_role("checkbox", name="Search in hours.csv").click(modifiers=["Shift"])
    expect(drawer.locator("#choice")).to_contain_text("5 documents chosen")
    drawer.get_by_role("link", name="garden.md").click()
    expect(panel(page)).to_contain_text("Beds are watered before nine in the morning.")


@pytest.mark.slow
def test_files_are_dropped_anywhere(own: Page) -> None:
    drop = """name => {
      const data = new DataTransfer();
      data.items.add(new File(["The swimming pool opens at seven."], "pool.txt"));
      document.body.dispatchEvent(
        new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    expect(documents(own).get_by_role("button", name="Choose files to add")).to_be_visible()
    own.keyboard.press("Escape")
    own.evaluate(drop, "dragenter")
    expect(own.locator("#drop-veil")).to_be_visible()
    own.evaluate(drop, "drop")
    expect(own.locator("#drop-veil")).to_be_hidden()
    drawer = own.locator("#documents[open]")
    expect(drawer.locator("#activity .report")).to_contain_text("1 document added.", timeout=WAIT)


@pytest.mark.slow
def test_indexing_can_be_stopped_and_asking_goes_on_meanwhile(own: Page) -> None:
    drawer = documents(own)
    lines = "\n\n".join(f"Entry {n} of the log of the quay says nothing new." for n in range(4_000))
    file = {"name": "log.txt", "mimeType": "text/plain", "buffer": lines.encode()}
    drawer.locator("#files").set_input_files(file)  # type: ignore[arg-type]
    stop = drawer.get_by_role("button", name="Stop")
    expect(drawer.locator("#activity .label")).to_contain_text("log.txt", timeout=WAIT)
    own.keyboard.press("Escape")
    expect(own.locator("#progress")).to_be_visible()
    expect(ask(own, "Where are dogs kept on a lead?")).to_contain_text("Dogs are kept on a lead")
    documents(own)
    stop.click()
    expect(drawer.locator("#activity .report")).to_contain_text("Stopped.", timeout=WAIT)
    expect(drawer.locator("#documents-count")).to_contain_text("5 documents")
    expect(own.locator("#progress")).to_be_hidden()


@pytest.mark.slow
def test_what_cannot_be_done_is_not_there(visit: Visit) -> None:
    page = visit("read-only")
    drawer = documents(page)
    expect(rows(drawer)).to_have_count(FEW)
    for name in ("Check for changes", "Choose files to add", re.compile("^Remove"), "Dismiss"):
        expect(drawer.get_by_role("button", name=name)).to_have_count(0)
    expect(drawer.locator("#failures")).to_contain_text("broken.pdf")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["x"], "x.txt"));
          document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(drawer.locator("#activity > *")).to_have_count(0)


@pytest.mark.slow
def test_thousands_scroll_smoothly(house: Server, encoder: Encoder, visit: Visit) -> None:
    with Library.open(house.library, encoder=encoder) as library:
        library.remove(house.library.with_suffix(""))
        library.add_texts(
            (f"team {n % 40}/note {n:04}.txt", "The quay is wet.", "Note", "2024-05-01")
            for n in range(3_000)
        )
    page = visit("working", size="phone")
    drawer = documents(page)
    expect(rows(drawer).first).to_be_visible()
    assert rows(drawer).count() < 60
    drawer.get_by_role("searchbox", name="Search the list").press("ArrowDown")
    page.keyboard.press("End")
    last = drawer.get_by_role("checkbox", name="Search in note 2999.txt")
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()
    place = last.locator("xpath=ancestor::li")
    assert place.get_attribute("aria-posinset") == "3000"
    assert rows(drawer).count() < 60
    page.keyboard.press("Home")
    expect(drawer.get_by_role("checkbox", name="Search in note 0000.txt")).to_be_focused()
    drawer.get_by_role("searchbox", name="Search the list").fill("note 2999")
    expect(rows(drawer)).to_have_count(1)
