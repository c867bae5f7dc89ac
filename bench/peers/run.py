"""Quoth beside what people would use instead: the same model, documents and machine, one run.

python bench/peers/run.py [--sentences 10000] [--questions 100] [--only a,b] [--runs 3]

The others are installed once into an environment of their own, under --cache. Each system reads
the same text files, splits them into sentences, embeds, saves, and is asked from a new process;
where a system's habit is to make larger chunks, a second row has those. Runs of all systems take
turns, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for python bench/peers/run.py

from bench import machine
from bench.corpus import corpus
from bench.data import DataError
from bench.kept import write_files
from bench.options import cache_folder, json_option, sample, tell, write_figures

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = ("quoth", "quoth_half")
SYSTEMS = {  # and whether its habit is larger chunks
    **dict.fromkeys(OURS, False),
    "plain": False,
    "langchain_faiss": True,
    "llama_index_memory": True,
    "llama_index_faiss": True,
    "haystack_memory": True,
    "txtai_faiss": True,
}
FIGURES = ("characters_per_s", "disk_bytes", "build_mb", "first_s", "p50_ms", "p95_ms", "ask_mb")
PATIENCE_S = 3600


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--sentences", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--questions", default=100, show_default=True, type=click.IntRange(8))
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1))
@click.option("--only", default="", help="Names of systems, separated by commas.")
@click.option("--own-chunks/--no-own-chunks", default=True, help="Their usual chunks as well.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of sets.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where the environment is kept.")
@json_option
def main(
    *,
    sentences: int,
    questions: int,
    runs: int,
    only: str,
    own_chunks: bool,
    data: Path | None,
    cache: Path | None,
    json_to: str | None,
) -> None:
    """Print characters a second, times of a question, memory and disk of each system."""
    names = only.split(",") if only else list(SYSTEMS)
    if not only and find_spec("openvino") is None:
        tell("quoth_half is left out: pip install 'quoth[half]'")
        names.remove("quoth_half")
    if unknown := [name for name in names if name not in SYSTEMS]:
        missing = ", ".join(unknown)
        raise click.ClickException(f"There is no {missing}; there are {', '.join(SYSTEMS)}.")
    python = (
        _environment(cache or cache_folder()) if set(names) - set(OURS) else Path(sys.executable)
    )
    try:
        material = corpus(data, sentences)
    except DataError as error:
        raise click.ClickException(str(error)) from error
    rows = [(name, False) for name in names]
    rows += [(name, True) for name in names if own_chunks and SYSTEMS[name]]
    with tempfile.TemporaryDirectory(prefix="quoth-peers-") as place:
        documents = _files(Path(place), [text.text for text in material.texts])
        asked = Path(place) / "questions.json"
        asked.write_text(json.dumps(sample(material.questions, questions)), "utf-8")
        characters = sum(len(text.text) for text in material.texts)
        measured: dict[tuple[str, bool], list[dict[str, float]]] = {row: [] for row in rows}
        for turn in range(runs):
            for row in rows:
                tell(f"run {turn + 1} of {runs}: {_title(row)}")
                found = _measure(row, python, documents, asked, Path(place) / "saved")
                found["characters_per_s"] = characters / found.pop("seconds")
                measured[row].append(found)
    result = {
        "machine": machine.describe(),
        "peers": _versions(),
        "characters": characters,
        "documents": len(material.texts),
        "runs": runs,
        "systems": {_title(row): _summary(found) for row, found in measured.items()},
    }
    if json_to != "-":
        click.echo(_page(result))
    write_figures(json_to, result)


def _environment(cache: Path) -> Path:
    """Return the Python of the environment of the others, made now if it is not there."""
    requirements = HERE / "requirements.txt"
    digest = sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"peers-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        tell(f"installing the other systems into {folder}; this is done once")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        subprocess.run(pip, check=True, env=os.environ | {"PYTHONPATH": ""})
        (folder / "ready").touch()
    return python


def _versions() -> list[str]:
    lines = (HERE / "requirements.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _files(place: Path, texts: Sequence[str]) -> Path:
    """Write the texts as files, and one more folder with a text to warm up with."""
    (place / "warm-up").mkdir()
    (place / "warm-up" / "0.txt").write_text(texts[0], "utf-8")
    write_files(place / "texts", texts)
    return place


def _measure(
    row: tuple[str, bool], python: Path, documents: Path, questions: Path, saved: Path
) -> dict[str, float]:
    """Return what one system took for building, and for answering in a new process."""
    name, own_chunks = row
    shutil.rmtree(saved, ignore_errors=True)
    saved.mkdir()
    common = [name, str(saved), "--model", str(_model())]
    interpreter = sys.executable if name in OURS else str(python)
    build = ["build", *common, "--documents", str(documents)]
    built = _run(interpreter, [*build, *(["--own-chunks"] if own_chunks else [])])
    asked = _run(interpreter, ["ask", *common, "--questions", str(questions)])
    built["build_mb"], asked["ask_mb"] = built.pop("peak_mb"), asked.pop("peak_mb")
    return built | asked


def _model() -> Path:
    from index.weights import default_model

    return default_model()


def _run(interpreter: str, arguments: Sequence[str]) -> dict[str, float]:
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "PYTHONPATH": str(ROOT) if interpreter == sys.executable else "",
    }
    # The sentence model that LlamaIndex ships is there for everybody: none is downloaded.
    for data in Path(interpreter).parents[1].glob("lib/python*/site-packages/llama_index/core"):
        environment["NLTK_DATA"] = str(data / "_static" / "nltk_cache")
    done = subprocess.run(
        [interpreter, str(HERE / "one.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{' '.join(arguments[:2])} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return found


def _title(row: tuple[str, bool]) -> str:
    return f"{row[0]}, own chunks" if row[1] else row[0]


def _summary(found: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the median of each figure, and its lowest and highest value."""
    return {"units": found[0]["units"]} | {
        figure: {
            "median": median(one[figure] for one in found),
            "lowest": min(one[figure] for one in found),
            "highest": max(one[figure] for one in found),
        }
        for figure in FIGURES
    }


def _page(result: Mapping[str, Any]) -> str:
    return "\n".join(_lines(result))


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(str(value) for value in result["machine"].values())
    yield ", ".join(result["peers"])
    yield (
        f"{result['documents']:,} documents, {result['characters']:,} characters; medians of "
        f"{result['runs']} runs (lowest to highest)"
    )
    yield (
        f"{'':<32}{'units':>8}{'characters/s':>24}{'first s':>9}{'p50 ms':>9}{'p95 ms':>9}"
        f"{'build MB':>10}{'ask MB':>8}{'disk MB':>9}"
    )
    for name, row in result["systems"].items():
        rate = row["characters_per_s"]
        spread = f"{rate['median']:,.0f} ({rate['lowest']:,.0f}-{rate['highest']:,.0f})"
        yield (
            f"{name:<32}{row['units']:>8,}{spread:>24}{row['first_s']['median']:>9.2f}"
            f"{row['p50_ms']['median']:>9.1f}{row['p95_ms']['median']:>9.1f}"
            f"{row['build_mb']['median']:>10,.0f}{row['ask_mb']['median']:>8,.0f}"
            f"{row['disk_bytes']['median'] / 1e6:>9.1f}"
        )


if __name__ == "__main__":
    main()
