"""What the command line says about a server, and how the password file is made."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from small import write

import ui
from index.errors import QuothError
from qa.cli import cli
from qa.web.address import PublicAddress, host_names, is_loopback
from qa.web.password import Password
from qa.web.server import ServerOptions, listening, server_options

ROOT = Path(ui.__file__).parent
WORDS = "correct horse battery"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """A file with the password."""
    Password.of(WORDS).write(tmp_path / "password")
    return tmp_path / "password"


def given(*arguments: str) -> ServerOptions:
    """Return the options that a command gets for `arguments`."""
    got: list[ServerOptions] = []

    @click.command()
    @server_options
    def command(options: ServerOptions) -> None:
        got.append(options)

    command.main(list(arguments), standalone_mode=False)
    return got[0]


def test_a_server_is_reached_from_this_machine_alone_unless_told() -> None:
    options = given()
    assert options == ServerOptions()
    settings = options.settings()
    assert options.host == "127.0.0.1"
    assert settings.password is None
    assert not settings.login
    assert not settings.any_ip
    assert settings.path == "/"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "docs.example.org"])
def test_other_machines_need_a_password(host: str, password_file: Path) -> None:
    with pytest.raises(click.UsageError) as raised:
        given("--host", host).settings()
    assert str(raised.value) == (
        f"Other machines can reach {host}, so --host {host} needs --password-file FILE; "
        "`quoth password FILE` makes one."
    )
    settings = given("--host", host, "--password-file", str(password_file)).settings()
    assert settings.login
    assert settings.any_ip
    assert {"localhost", socket.gethostname().lower()} <= settings.hosts


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.10"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)
    assert given("--host", host).settings().password is None
    assert host_names(host) == {"127.0.0.1", "localhost", "[::1]"}


def test_a_password_counts_on_loopback_too(password_file: Path) -> None:
    settings = given("--password-file", str(password_file)).settings()
    assert settings.login


@pytest.mark.parametrize(
    ("url", "scheme", "host", "path"),
    [
        ("https://docs.example.org", "https", "docs.example.org", ""),
        ("https://Docs.Example.org/", "https", "docs.example.org", ""),
        ("https://example.org:443/quoth/", "https", "example.org", "/quoth"),
        ("http://intranet:8080/a/b", "http", "intranet:8080", "/a/b"),
        ("https://[2001:db8::1]/quoth", "https", "[2001:db8::1]", "/quoth"),
    ],
)
def test_a_public_address_is_taken_apart(url: str, scheme: str, host: str, path: str) -> None:
    public = PublicAddress.parse(url)
    assert (public.scheme, public.host, public.path) == (scheme, host, path)
    assert public.origin == f"{scheme}://{host}"
    assert given("--public-url", url).settings().path == f"{path}/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "docs.example.org",
        "ftp://docs.example.org",
        "https://",
        "https://u:p@example.org",
        "https://example.org/?a",
        "https://example.org/#a",
        "https://example.org/a/../b",
        "https://example.org/a b",
        'https://example.org/"',
        "https://example.org//a",
        "https://example.org:port",
        "https://example.org:99999",
    ],
)
def test_what_is_no_address_is_one_sentence(url: str) -> None:
    with pytest.raises(QuothError, match="is not an address for the page"):
        PublicAddress.parse(url)


def test_a_host_that_is_not_ours_is_one_sentence() -> None:
    with pytest.raises(QuothError, match=r"192\.0\.2\.1 is not an address of this machine\."):
        with listening("192.0.2.1", 0):
            pass
    with pytest.raises(QuothError, match="is not an address of this machine"):
        with listening("no such host", 0):
            pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_is_found(host: str) -> None:
    with listening(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_the_refusal_reaches_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    command = [sys.executable, str(ROOT / "ui.py"), "chat", "docs", "--host", "0.0.0.0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("quoth: Other machines can reach 0.0.0.0")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


# quoth password


def quoth(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, list(arguments), input=stdin)
    return done.exit_code, done.stdout, done.stderr


def test_a_password_is_set_from_stdin(tmp_path: Path) -> None:
    file = tmp_path / "password"
    status, out, err = quoth("password", str(file), stdin=f"{WORDS}\n")
    assert (status, out) == (0, "")
    assert f"--password-file {file}" in err
    assert Password.read(file).matches(WORDS)


def test_a_password_that_is_there_is_replaced_only_with_yes(password_file: Path) -> None:
    status, _, err = quoth("password", str(password_file), stdin="another one, longer\n")
    assert status == 1
    assert err == (
        f"quoth: {password_file} is there already; give --yes to set another password in it.\n"
    )
    assert Password.read(password_file).matches(WORDS)
    status, _, _ = quoth("password", str(password_file), "--yes", stdin="another one, longer\n")
    assert status == 0
    assert Password.read(password_file).matches("another one, longer")


def test_a_short_password_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    status, _, err = quoth("password", str(tmp_path / "password"), stdin="short\n")
    assert status == 1
    assert err.startswith("quoth: The password is too short: 10 characters are the least")
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_printed_once_and_survives_another_password(password_file: Path) -> None:
    status, out, _ = quoth("password", str(password_file), "--token", "backup")
    assert status == 0
    token = out.strip()
    assert Password.read(password_file).token_name(token) == "backup"
    assert Password.read(password_file).matches(WORDS)
    quoth("password", str(password_file), "--yes", stdin="another one, longer\n")
    assert Password.read(password_file).token_name(token) == "backup"
    assert quoth("password", str(password_file), "--token", "backup")[0] == 1
    status, out, _ = quoth("password", str(password_file), "--token", "backup", "--yes")
    assert status == 0
    assert Password.read(password_file).token_name(token) is None
    assert Password.read(password_file).token_name(out.strip()) == "backup"


def test_a_token_needs_a_password_and_a_name(tmp_path: Path, password_file: Path) -> None:
    status, _, err = quoth("password", str(tmp_path / "missing"), "--token", "backup")
    assert status == 1
    assert "There is no password file at" in err
    status, _, err = quoth("password", str(password_file), "--token", "a b")
    assert status == 1
    assert "is no name for a token" in err


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    status, _, err = quoth("password", str(tmp_path / "no/such/folder"), stdin=f"{WORDS}\n")
    assert status == 1
    assert err.startswith("quoth: ")
    assert "cannot be written: no such file or directory." in err


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_a_server_ends_in_good_order(tmp_path: Path, number: int) -> None:
    """On Ctrl+C and on what systemd and Docker send, also while the model is being loaded."""
    write(tmp_path / "docs", {"lift.txt": "The lift is inspected every twelve months."})
    command = [sys.executable, str(ROOT / "ui.py"), "serve", "docs", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Quoth is at http://127.0.0.1:")
        server.send_signal(number)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0, said
    assert said.splitlines()[-1].startswith("1 added"), said
