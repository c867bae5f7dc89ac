"""The `quoth` command on real libraries: what it prints, and its exit status."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_house import DOCUMENTS, LIFT, ROOT, run, write

from qa.cli import cli, resolve_library


def test_help_names_every_command_and_the_exit_status() -> None:
    result = run("--help")
    assert result.exit_code == 0
    listed = re.findall(r"^  ([a-z]+) {2,}", result.stdout, flags=re.MULTILINE)
    assert [name for name in listed if name != "chat"] == [
        "sync", "ask", "retrieve", "find", "status", "remove", "rebuild", "compact",
        "relocate", "copy", "backup", "restore", "verify", "doctor", "serve", "evaluate",
        "password",
    ]  # fmt: skip
    assert "2    wrong usage" in result.stdout
    assert not re.search(r"\.\.\.$", result.stdout.partition("Commands:")[2], re.MULTILINE)
    assert run("-h").stdout == result.stdout


@pytest.mark.parametrize("command", sorted(set(cli.commands) - {"chat"}))
def test_every_option_has_a_sentence_and_shows_its_default(command: str) -> None:
    assert run(command, "-h").exit_code == 0
    for parameter in cli.commands[command].params:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").endswith("."), parameter.name
            assert parameter.is_flag or parameter.show_default or parameter.default, parameter.name


def heavy_imports(*args: str | Path) -> set[str]:
    """Return which heavy packages a command has imported when it ends."""
    script = (
        "import sys\nfrom qa.cli import cli\n"
        "try:\n    cli(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "heavy = {'torch', 'gradio', 'nltk', 'transformers', 'sentence_transformers', 'rich',"
        " 'numpy', 'fastapi'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(json.loads(done.stderr.strip().splitlines()[-1].replace("'", '"')))


def test_help_imports_nothing_heavy() -> None:
    assert heavy_imports("--help") == set()


def test_a_question_imports_neither_torch_nor_gradio_nor_nltk(library: Path) -> None:
    assert heavy_imports("ask", "How often is the lift inspected?", "-l", library) <= {"numpy"}


def test_version_is_one_line() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"quoth \S.*\n", result.stdout)


def test_the_library_is_the_option_else_the_environment_else_beside_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve_library(Path("docs"), None) == tmp_path / "docs.quoth"
    assert resolve_library(Path("docs/../docs/"), None) == tmp_path / "docs.quoth"
    (tmp_path / "only.quoth").mkdir()
    assert resolve_library(None, None) == Path("only.quoth")
    monkeypatch.setenv("QUOTH_LIBRARY", "env.quoth")
    assert resolve_library(Path("docs"), None) == Path("env.quoth")
    assert resolve_library(Path("docs"), Path("given.quoth")) == Path("given.quoth")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [([], "there is no *.quoth in this directory"), (["a", "b"], "there are 2 folders named")],
)
def test_without_a_clear_library_the_error_says_what_to_give(
    names: list[str], sentence: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / f"{name}.quoth").mkdir()
    result = run("status")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "--library" in result.stderr
    assert "QUOTH_LIBRARY" in result.stderr


def test_sync_reports_and_tells_what_it_skipped(tmp_path: Path) -> None:
    folder = write(tmp_path / "docs", {**DOCUMENTS, "empty.txt": ""})
    (folder / "picture.bin").write_bytes(bytes(range(256)))
    result = run("sync", folder)
    assert result.exit_code == 1
    assert result.stdout.startswith("3 added, 0 updated, 0 renamed, 0 removed, 0 unchanged")
    assert re.search(r"^  skipped empty\.txt: .+", result.stdout, re.MULTILINE)
    again = run("sync", folder, "--json")
    report = json.loads(again.stdout)
    assert report["kind"] == "sync"
    assert report["unchanged"] == 3
    assert report["embedded"] == 0
    assert "empty.txt" in {skip["path"] for skip in report["skipped"]}


def test_a_dry_run_changes_nothing_and_makes_no_library(tmp_path: Path) -> None:
    folder = write(tmp_path / "docs", DOCUMENTS)
    result = run("sync", folder, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "would be: 3 added, 0 updated, 0 renamed, 0 removed, 0 unchanged",
        "  + house/garden.txt",
        "  + house/lift.md",
        "  + prices.csv",
    ]
    assert not (tmp_path / "docs.quoth").exists()


def test_removing_more_than_half_needs_yes(made: Path, library: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "docs", DOCUMENTS)
    assert run("sync", folder, "-l", library).exit_code == 0
    shutil.rmtree(folder / "house")
    refused = run("sync", folder, "-l", library)
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    done = run("sync", folder, "-l", library, "--yes", "--json")
    assert json.loads(done.stdout)["removed"] == ["house/garden.txt", "house/lift.md"]


def test_ask_answers_in_the_words_of_the_document(library: Path) -> None:
    result = run("ask", "How", "often", "is", "the", "lift", "inspected?", "-l", library)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        f"[1] {LIFT}",
        "    house/lift.md · Inspection",
    ]
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_ask_prints_json_and_markdown(library: Path) -> None:
    plain = run("ask", "How often is the lift inspected?", "-l", library, "--json")
    answer = json.loads(plain.stdout)
    assert answer["kind"] == "answer"
    quote = answer["quotes"][0]
    assert quote["text"] == LIFT
    assert quote["end"] - quote["start"] == len(LIFT)
    assert quote["citation"]["headings"] == ["Lift policy", "Inspection"]
    markdown = run("ask", "How often is the lift inspected?", "-l", library, "--markdown")
    assert markdown.stdout.startswith("> ")
    assert "house/lift\\.md" in markdown.stdout
    both = run("ask", "x", "-l", library, "--markdown", "--json")
    assert both.exit_code == 2


def test_piped_questions_are_a_conversation(library: Path) -> None:
    lines = "How often is the lift inspected?\n\nAnd by whom?\n"
    result = run("ask", "-l", library, "--json", input=lines)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == [
        "How often is the lift inspected?",
        "And by whom?",
    ]
    assert "lift" in answers[1]["searched_for"]
    text = run("ask", "-l", library, input=lines).stdout
    assert text.startswith(f"> How often is the lift inspected?\n\n[1] {LIFT}\n")
    assert "\n\n> And by whom?\n\n" in text


def test_a_question_that_cannot_be_asked_does_not_end_the_conversation(library: Path) -> None:
    lines = "x" * 2001 + "\nHow often is the lift inspected?\n"
    result = run("ask", "-l", library, input=lines)
    assert result.exit_code == 1
    assert result.stderr.startswith("quoth: ")
    assert LIFT in result.stdout


def test_filters_narrow_the_search(library: Path) -> None:
    def paths(*options: str) -> set[str]:
        result = run("retrieve", "lift", "-l", library, "--json", *options)
        assert result.exit_code == 0, result.output
        return {passage["document"]["path"] for passage in json.loads(result.stdout)["passages"]}

    assert "house/lift.md" in paths()
    assert paths("--folder", "house") <= {"house/lift.md", "house/garden.txt"}
    assert paths("--type", "csv") == {"prices.csv"}
    assert paths("--pattern", "*.md") == {"house/lift.md"}
    nothing = run("ask", "lift", "-l", library, "--type", "pdf")
    assert nothing.exit_code == 1
    assert "No document of the library passes the filters" in nothing.stderr
    wrong = run("ask", "lift", "-l", library, "--after", "yesterday")
    assert wrong.exit_code == 2
    assert "2024-05-31" in wrong.stderr


def test_retrieve_says_score_and_why(library: Path) -> None:
    result = run("retrieve", "lift inspection", "-k", "1", "-l", library)
    assert result.exit_code == 0
    assert re.search(r"^    score 0\.\d{4}; .+", result.stdout, re.MULTILINE)
    assert "[2]" not in result.stdout


def test_find_lists_every_sentence_with_the_words(library: Path) -> None:
    result = run("find", "caretaker", "-l", library)
    assert result.exit_code == 0
    assert result.stdout == (
        "2 sentences with caretaker in 1 document\n\n"
        "house/lift.md: 2\n"
        "  – Breakdowns are reported to the caretaker.\n"
        "  – The caretaker calls the engineer within one hour.\n"
    )
    phrase = json.loads(run("find", "certified engineer", "-l", library, "--json").stdout)
    assert phrase["total"] == 1
    hit = phrase["documents"][0]["hits"][0]
    assert hit["text"] == LIFT


def test_status_counts_what_is_there(library: Path) -> None:
    plain = json.loads(run("status", "-l", library, "--json", "--documents").stdout)
    assert plain["kind"] == "status"
    assert plain["types"] == {"csv": 1, "markdown": 1, "text": 2}
    paths = [document["path"] for document in plain["list"]]
    assert paths == ["house/garden.txt", "house/lift.md", "lamp.txt", "prices.csv"]
    text = run("status", "-l", library, "--documents").stdout
    assert "documents   4 (1 csv, 1 markdown, 2 text)\n" in text
    assert re.search(r"^\d+ +house/lift\.md  markdown, no date, \d sentences$", text, re.M)


def test_removed_documents_leave_every_answer_and_the_disk(library: Path, made: Path) -> None:
    removed = run("remove", "house/lift.md", "-l", library)
    assert removed.stdout == "1 document removed\n  house/lift.md\n"
    assert run("find", "caretaker", "-l", library).stdout == (
        "0 sentences with caretaker in 0 documents\n"
    )
    refused = run("remove", made, "-l", library)
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    rest = run("remove", made, "--yes", "-l", library)
    assert rest.stdout.startswith("3 documents removed\n")
    assert (made / "house/lift.md").exists()
    assert re.fullmatch(r"-?[\d.]+ \w+ freed\n", run("compact", "-l", library).stdout)
    unknown = run("remove", "house/lift.md", "-l", library)
    assert unknown.exit_code == 1
    assert "house/lift.md" in unknown.stderr


def test_a_rebuilt_library_answers_as_before(library: Path) -> None:
    question = ("ask", "How often is the lift inspected?", "-l", library)
    before = run(*question).stdout
    assert run("rebuild", "-l", library).exit_code == 0
    assert run(*question).stdout == before
