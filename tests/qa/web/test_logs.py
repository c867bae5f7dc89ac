"""What a server writes: neither secrets, nor questions, nor a word of the documents."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from knocking import replies
from small import write

import ui
from index import Library
from index.weights import cache_folder
from qa.web.logs import DiscreetFormatter, log_discreetly
from qa.web.password import Password

if TYPE_CHECKING:
    from index.types import Encoder

ROOT = Path(ui.__file__).parent
PASSWORD = "xylophone password of ours"
WRONG = "kazoo is not the password"
QUESTION = "Who keeps the flugelhorn in the cupboard?"
DOCUMENT = "The flugelhorn is kept by Ottokar in the marimba cupboard since the year 1987.\n"
# Each stands for a secret, a question or a document; none is a word that a log might have.
WORDS = ("xylophone", "kazoo", "flugelhorn", "ottokar", "marimba", "cupboard", "didgeridoo")


# The form of a log


def logged(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    record = logging.getLogger("test").makeRecord(
        "test", logging.ERROR, "", 0, "it failed", (), (type(error), error, error.__traceback__)
    )
    logging.Formatter().format(record)  # one that is less discreet was there before
    return DiscreetFormatter("%(message)s").format(record)


def test_an_error_is_logged_by_its_type_and_place_without_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        try:
            json.loads("marimba")
        except ValueError as error:
            raise KeyError("flugelhorn") from error
    except KeyError as error:
        error.add_note("GET /api/x was answered with urn:uuid:1")
        said = logged(error, caplog)
    assert said.startswith("it failed\n")
    assert "json.decoder.JSONDecodeError" in said
    assert said.index("JSONDecodeError") < said.index("KeyError")
    assert "test_logs.py" in said
    assert "urn:uuid:1" in said
    lines = [line for line in said.splitlines() if not line.startswith("    ")]  # less the code
    assert not any(word in line for line in lines for word in ("marimba", "flugelhorn"))


def test_a_thread_that_fails_says_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    root, hook = logging.getLogger(), threading.excepthook
    before = list(root.handlers)
    own = logging.StreamHandler(sys.stderr)
    logging.getLogger("quoth").addHandler(own)
    try:
        log_discreetly()
        message = "marimba".upper()
        thread = threading.Thread(target=lambda: int(message), name="quoth-x")
        thread.start()
        thread.join()
    finally:
        threading.excepthook = hook
        logging.getLogger("quoth").removeHandler(own)
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
    said = capsys.readouterr().err
    assert "quoth: quoth-x failed" in said
    assert "ValueError" in said
    assert "MARIMBA" not in said


# A whole server


class Running:
    """A server that logs all it can, and where it may write."""

    def __init__(self, address: str, token: str, place: Path) -> None:
        self.address, self.token, self.place = address, token, place


@pytest.fixture
def running(tmp_path: Path, encoder: Encoder) -> Iterator[Running]:
    """`quoth --debug chat` with a password; what it writes goes to the file `written`."""
    password, token = Password.of(PASSWORD).with_token("nightly")
    password.write(tmp_path / "password")
    folder = write(tmp_path / "house", {"horn.md": f"# Instruments\n\n{DOCUMENT}"})
    with Library.open(tmp_path / "house.quoth", create=True, encoder=encoder) as library:
        library.sync(folder)
    places = {name: str(tmp_path / name.lower()) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        Path(place).mkdir()
    environment = {**os.environ, **places, "QUOTH_CACHE": str(cache_folder())}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONDEVMODE": ""}
    command = [sys.executable, str(ROOT / "ui.py"), "--debug", "chat", "--port", "0"]
    options: list[str | Path] = [
        "--library",
        tmp_path / "house.quoth",
        "--password-file",
        tmp_path / "password",
    ]
    with (tmp_path / "written").open("wb") as written:
        server = subprocess.Popen(
            [*command, *options],
            cwd=tmp_path,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Running(_address(tmp_path / "written", server), token, tmp_path)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def _address(written: Path, server: subprocess.Popen[bytes]) -> str:
    while server.poll() is None:
        found = re.search(r"Quoth is at (http://[\d.:]+)", written.read_text("utf-8", "replace"))
        if found is not None:
            return found[1]
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(0.1)
    pytest.fail(written.read_text("utf-8", "replace"))


@pytest.mark.slow
def test_a_server_that_logs_all_it_can_writes_no_secret_no_question_and_no_document(
    running: Running,
) -> None:
    """Asked, searched, signed in to, lied to; then every file that it may write is searched."""
    headers = {"origin": running.address}
    with httpx2.Client(base_url=running.address, headers=headers, timeout=120) as client:
        session, browser = use(client)
        abuse(client, running)
    lie(running.address)
    os.sync()
    secrets = [session, browser, running.token, *WORDS]
    written = running.place / "written"
    said = written.read_text("utf-8", "replace")
    assert "wrong password from 127.0.0.1" in said
    found = {
        (secret, file.relative_to(running.place).as_posix())
        for file in files_of(running.place)
        for secret in secrets
        if secret.casefold().encode() in file.read_bytes().lower()
    }
    assert found == set()


def files_of(place: Path) -> list[Path]:
    """Return what the server wrote: not the documents, nor the library that is made of them."""
    kept = ("house", "house.quoth", "password")
    files = [path for path in place.rglob("*") if path.is_file()]
    return [file for file in files if file.relative_to(place).parts[0] not in kept]


def use(client: httpx2.Client) -> tuple[str, str]:
    """Do what people do; return the cookies of session and browser."""
    client.get("/login")
    browser = client.cookies["quoth_browser"]
    assert client.post("/login", data={"password": WRONG}).status_code == 401
    assert client.post("/login", data={"password": PASSWORD}).status_code == 303
    session = client.cookies["quoth_session"]
    talk = "c" * 32
    answer = client.post("/api/ask", json={"question": QUESTION, "conversation": talk})
    assert "Ottokar" in answer.text
    stream = {"accept": "text/event-stream"}
    told = client.post("/api/ask", json={"question": QUESTION}, headers=stream)
    assert "Ottokar" in told.text
    context = json.dumps({"conversation": talk, "documents": None})
    order = {"data": [QUESTION, context], "fn_index": 0, "session_hash": "pageofours"}
    assert client.post("/gradio_api/queue/join", json=order).status_code == 200
    heard = client.get("/gradio_api/queue/data?session_hash=pageofours")
    assert "Ottokar" in heard.text
    assert client.post("/api/find", json={"words": "marimba cupboard"}).json()["total"] == 1
    cite = answer.json()["quotes"][0]["citation"]
    source = f"/api/source/{cite['document']}-{cite['text_hash'][:12]}"
    assert client.get(f"{source}/search", params={"q": "marimba"}).json()["hits"]
    assert client.get(f"{source}/file").status_code == 200
    assert client.get("/api/conversations", params={"search": "flugelhorn"}).status_code == 200
    assert client.get(f"/api/conversations/{talk}/export").status_code == 200
    files = {"files": ("didgeridoo.txt", b"The didgeridoo is in the cellar.")}
    assert client.post("/api/documents", files=files).status_code == 202
    return session, browser


def abuse(client: httpx2.Client, running: Running) -> None:
    """Send what is refused, with words in it that must not be in the log."""
    for body in (b'{"question": "flugelhorn', b'{"question": 7, "flugelhorn": 1}', b"[" * 5_000):
        reply = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
        assert reply.status_code in (400, 422)
    long = {"question": "flugelhorn " * 5_000}
    assert client.post("/api/ask", json=long).status_code == 422
    odd = {"data": ["flugelhorn"], "fn_index": 0, "session_hash": "pageofours"}
    assert client.post("/gradio_api/queue/join", json=odd).status_code == 422
    assert client.get("/flugelhorn?flugelhorn").status_code == 404
    for headers in ({"host": "flugelhorn"}, {"authorization": "Bearer kazoo"}):
        assert client.get("/api/health", headers=headers).status_code in (400, 401)
    bearer = {"authorization": f"Bearer {running.token}"}
    assert client.get("/api/health", headers=bearer).status_code == 200


def lie(address: str) -> None:
    """Send what is not HTTP, and leave in the middle."""
    replies(address, b"flugelhorn kazoo\r\n\r\n")
    replies(address, b"GET /flugelhorn HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: kazoo\r\n"
            b"Connection: close, upgrade\r\n\r\n")  # fmt: skip
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n\r\nkazoo")
