"""What is shown while a sync goes on."""

from __future__ import annotations

import pytest

from index.reports import Progress
from qa.progress import SECONDS_BETWEEN_LINES, shown_progress


def test_a_pipe_gets_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as show:
        for second in range(13):
            show(Progress("a.md", second, 12, second * 50, float(second)))
    assert SECONDS_BETWEEN_LINES == 5.0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "5 of 12 files, 250 sentences, 50 a second, 7 s left",
        "10 of 12 files, 500 sentences, 50 a second, 2 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "files_done", "left"),
    [
        (90.0, 50, "1 min 30 s left"),
        (3600.0, 10, "9 h 0 min left"),
        (10.0, 0, "0 sentences"),  # before the first file nobody knows
        (10.0, 100, "0 sentences"),
    ],
)
def test_time_left_is_told_in_words(
    seconds: float, files_done: int, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress() as show:
        show(Progress("a.md", files_done, 100, 0, seconds))
    assert capsys.readouterr().err.rstrip().endswith(left)
