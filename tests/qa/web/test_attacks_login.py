"""The password against those who do not have it, and against what a server meets while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient

from qa.web.app import create_app
from qa.web.auth import SESSION_COOKIE
from qa.web.password import Password
from qa.web.password_file import PasswordFile
from qa.web.settings import PageSettings

if TYPE_CHECKING:
    from httpx2 import Response

    from index import Library

ORIGIN = "http://127.0.0.1:7860"
WORDS = "correct horse battery"
OTHER = "another one, longer"


@pytest.fixture(scope="module")
def hashed() -> tuple[Password, str]:
    """A password with a token, and the token."""
    return Password.of(WORDS).with_token("nightly")


@pytest.fixture
def file(tmp_path: Path, hashed: tuple[Password, str]) -> Path:
    """The password file."""
    hashed[0].write(tmp_path / "password")
    return tmp_path / "password"


@pytest.fixture
def client(
    library: Library, file: Path, hashed: tuple[Password, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A browser at a server that looks at its password file with every request."""
    monkeypatch.setattr("qa.web.password_file._SECONDS", -1.0)
    settings = PageSettings(password=hashed[0], password_file=file)
    app = create_app(library, settings=settings)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, words: str = WORDS, next: str = "") -> Response:
    return client.post("/login", data={"password": words, "next": next})


def health(client: TestClient, **headers: str) -> int:
    return client.get("/api/health", headers=headers).status_code


# While the server runs


def test_another_password_counts_at_once_and_signs_everybody_out(
    client: TestClient, file: Path, hashed: tuple[Password, str]
) -> None:
    assert sign_in(client).status_code == 303
    assert health(client) == 200
    Password(Password.of(OTHER).hashed, hashed[0].tokens).write(file)
    assert health(client) == 401
    assert sign_in(client).status_code == 401
    assert sign_in(client, OTHER).status_code == 303
    assert health(client) == 200
    assert health(client, authorization=f"Bearer {hashed[1]}") == 200


def test_a_token_that_is_taken_back_opens_nothing_from_then_on(
    client: TestClient, file: Path, hashed: tuple[Password, str]
) -> None:
    bearer = {"authorization": f"Bearer {hashed[1]}"}
    sign_in(client)
    assert health(client, **bearer) == 200
    Password(hashed[0].hashed).write(file)
    assert health(client, **bearer) == 401
    assert health(client) == 200  # people who have signed in are not concerned


@pytest.mark.parametrize("slip", ["missing", "empty", "open to all"])
def test_a_slip_with_the_file_neither_opens_the_server_nor_locks_it(
    client: TestClient, file: Path, slip: str, caplog: pytest.LogCaptureFixture
) -> None:
    if slip == "missing":
        file.unlink()
    elif slip == "empty":
        file.write_text("")
    else:
        file.chmod(0o666)
    assert health(client) == 401
    assert sign_in(client, "").status_code == 401
    assert sign_in(client).status_code == 303
    assert health(client) == 200
    assert "the password stays as it was" in caplog.text


def test_a_password_that_was_changed_before_the_server_ran_counts(
    library: Library, file: Path, hashed: tuple[Password, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read first, then the documents are indexed, which may take an hour."""
    monkeypatch.setattr("qa.web.password_file._SECONDS", -1.0)
    settings = PageSettings(password=hashed[0], password_file=file)
    Password.of(OTHER).write(file)
    app = create_app(library, settings=settings)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as client:
        assert sign_in(client).status_code == 401
        assert sign_in(client, OTHER).status_code == 303


def test_a_file_that_was_not_changed_is_no_news(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert sign_in(client).status_code == 303
    assert health(client) == 200
    assert "has changed" not in caplog.text


def test_the_file_is_looked_at_once_a_second(file: Path) -> None:
    seconds = [0.0]
    watched = PasswordFile(file, clock=lambda: seconds[0])
    Password.of(OTHER).write(file)
    assert watched.changed() is None
    seconds[0] = 1.1
    changed = watched.changed()
    assert changed is not None
    assert changed.matches(OTHER)
    seconds[0] = 2.2
    assert watched.changed() is None


def test_a_restart_ends_every_session(library: Library, client: TestClient) -> None:
    token = SimpleCookie(sign_in(client).headers["set-cookie"])[SESSION_COOKIE].value
    again = TestClient(create_app(library, settings=PageSettings(password=Password("x"))))
    again.base_url = client.base_url
    assert health(client, cookie=f"{SESSION_COOKIE}={token}") == 200
    assert health(again, cookie=f"{SESSION_COOKIE}={token}") == 401


# What a guesser learns


def test_a_wrong_password_looks_the_same_whatever_is_wrong_with_it(client: TestClient) -> None:
    """There are no names, so none can be found out."""
    pages = set()
    for words in ("", "x", WORDS[:-1], WORDS.upper()):
        reply = client.post("/login", data={"password": words, "username": words or "admin"})
        pages.add((reply.status_code, reply.text, reply.headers.get("set-cookie")))
    assert len(pages) == 1


def test_a_session_that_was_made_up_opens_nothing(client: TestClient) -> None:
    for token in ("", "0" * 43, "A" * 10_000, "../../etc", "%00", '"; quoth_browser="', "é"):
        cookie = f"{SESSION_COOKIE}={token}".encode("latin-1")
        assert client.get("/api/health", headers={b"cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https://evil.example",
        "http://127.0.0.1:7860@evil.example",
        "%2f%2fevil.example",
        "%252f%252fevil.example",
        "%5cevil.example",
        "/%09/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        ".evil.example",
        "@evil.example",
        ";@evil.example",
        "?@evil.example",
        "x\r\nSet-Cookie: a=b",
        "..;/evil",
        "/evil.example/..//",
        "api/../..//evil.example",
    ],
)
def test_after_signing_in_one_is_never_elsewhere(client: TestClient, next: str) -> None:
    """As a browser reads the answer, from the form itself and from a link to it."""
    reply = sign_in(client, next=next)
    assert reply.status_code == 303
    link = client.get(f"/login?next={quote(next, safe='')}")
    for location in (reply.headers["location"], link.headers["location"]):
        assert urlsplit(urljoin(f"{ORIGIN}/login", location.replace("\\", "/"))).netloc == (
            "127.0.0.1:7860"
        )
        assert "\r" not in location
        assert "set-cookie" not in location.lower()
