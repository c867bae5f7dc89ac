"""Pictures of figures, for docs/benchmarks.md.

python bench/pictures.py FIGURES [--peers FIGURES] [--to docs/pictures]

FIGURES are what `bench/run.py --large --json FILE` and `bench/peers/run.py --json FILE` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
NAMES = {
    "quoth": "Quoth",
    "quoth_half": "Quoth, half precision",
    "plain": "sentence-transformers",
    "langchain_faiss": "LangChain, FAISS",
    "llama_index_memory": "LlamaIndex, memory",
    "llama_index_faiss": "LlamaIndex, FAISS",
    "haystack_memory": "Haystack, memory",
    "txtai_faiss": "txtai, FAISS",
}
INK, OURS, OTHERS = "#333333", "#0b6e4f", "#9aa5b1"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("figures", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--peers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "docs")
def main(figures: Path, peers: Path | None, to: Path) -> None:
    """Draw how times grow with the library, and the other systems beside ours."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same figures give the same file, whoever draws it and when.
    mpl.rcParams.update({"svg.hashsalt": "quoth", "font.size": 10, "axes.edgecolor": INK})
    to.mkdir(parents=True, exist_ok=True)
    measured = json.loads(figures.read_text("utf-8"))["measured"]
    _growth(measured, to / "growth.svg")
    if peers is not None:
        _beside(json.loads(peers.read_text("utf-8"))["systems"], to / "peers.svg")


def _growth(measured: Mapping[str, Any], target: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    asked, built = figure.subplots(1, 2)
    for name, style, colour in (
        ("answer, p50", "o-", INK),
        ("retrieve, p95", "o:", OURS),
        ("retrieve, p50", "o-", OURS),
    ):
        points = _points(measured, ("ask ",), name)
        asked.plot(*zip(*points, strict=True), style, color=colour, label=name)
    asked.set_ylabel("milliseconds")
    points = _points(measured, ("index ", "made "), "first sync")
    built.plot(*zip(*points, strict=True), "o-", color=OURS, label="from text to searchable")
    (first, seconds), (last, _) = points[0], points[-1]
    built.plot([first, last], [seconds, seconds * last / first], ":", color=OTHERS, label="linear")
    built.set_ylabel("seconds")
    for axes in (asked, built):
        axes.set(xscale="log", yscale="log", xlabel="sentences in the library")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(target, metadata={"Date": None})


def _points(
    measured: Mapping[str, Any], beginnings: Sequence[str], name: str
) -> list[tuple[int, float]]:
    """Return size and median of a figure, by size; of several of one size the first."""
    found: dict[int, float] = {}
    for task, figures in measured.items():
        for beginning in beginnings:
            size = task.removeprefix(beginning).replace(",", "")
            if task.startswith(beginning) and size.isdigit() and name in figures:
                found.setdefault(int(size), figures[name]["median"])
    if not found:
        raise click.ClickException(f"The file has no figure called {name!r}.")
    return sorted(found.items())


def _beside(systems: Mapping[str, Any], target: Path) -> None:
    from matplotlib.figure import Figure

    names = [name for name in systems if not name.endswith("own chunks")][::-1]
    colours = [OURS if name.startswith("quoth") else OTHERS for name in names]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, (key, title) in zip(
        figure.subplots(1, 3, sharey=True),
        (
            ("characters_per_s", "text to searchable,\ncharacters a second"),
            ("first_s", "first reply of a new process,\nseconds"),
            ("p50_ms", "a question, p50,\nmilliseconds"),
        ),
        strict=True,
    ):
        axes.barh(
            [NAMES[name] for name in names],
            [systems[name][key]["median"] for name in names],
            color=colours,
        )
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.locator_params(axis="x", nbins=4)
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main()
