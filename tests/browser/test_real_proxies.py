"""The lines for nginx and Caddy in docs/serving.md, in the real programs, where they are installed.

`QUOTH_NGINX` and `QUOTH_CADDY` say where they are if not on the path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from proxy import free_port
from serving import serve
from small import write

from qa.web.password import Password

DOCS = (Path(__file__).parents[2] / "docs/serving.md").read_text(encoding="utf-8")
WORDS = "correct horse battery"
HOUSE = {"garden.md": "# Garden rules\n\nDogs are kept on a lead in the garden.\n"}


def lines_of(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert found is not None
    return found[1]


def nginx(folder: Path, port: int, inner: int, *, strip: bool) -> list[str]:
    location = lines_of("nginx").replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    if strip:
        location = location.replace(f":{inner};", f":{inner}/;")
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Started by root it would become somebody who cannot write here.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port};\n{location} }} }}\n"
    )
    return ["-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, inner: int, *, strip: bool) -> list[str]:
    site = lines_of("caddy").replace("docs.example.org", f"http://127.0.0.1:{port}")
    site = site.replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    if strip:
        site = site.replace("reverse_proxy /quoth*", "handle_path /quoth/* {\nreverse_proxy")
        site = site.replace(f":{inner}", f":{inner}\n}}")
    (folder / "Caddyfile").write_text(f"{{\nadmin off\nauto_https off\n}}\n{site}")
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


PROXIES = {"nginx": nginx, "caddy": caddy}


@contextmanager
def running(name: str, folder: Path, port: int, inner: int, *, strip: bool) -> Iterator[None]:
    program = os.environ.get(f"QUOTH_{name.upper()}") or shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed (apt install {name})")
    arguments = PROXIES[name](folder, port, inner, strip=strip)
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen([program, *arguments], stdout=said, stderr=said, cwd=folder)
        try:
            for _ in range(200):
                assert process.poll() is None, log.read_text()
                try:
                    httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
                    break
                except httpx2.TransportError:
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.mark.slow
@pytest.mark.parametrize("strip", [False, True], ids=["path-kept", "path-taken-off"])
@pytest.mark.parametrize("name", sorted(PROXIES))
def test_the_documented_lines_work(tmp_path: Path, name: str, strip: bool) -> None:
    """Signing in, an answer as a stream, an upload, and the page's own addresses."""
    port, inner = free_port(), free_port()
    url = f"http://127.0.0.1:{port}/quoth"
    Password.of(WORDS).write(tmp_path / "password")
    arguments = ["--port", str(inner), "--password-file", str(tmp_path / "password")]
    source = write(tmp_path / "house", HOUSE)
    with (
        running(name, tmp_path, port, inner, strip=strip),
        serve(tmp_path / "house.quoth", source, *arguments, "--public-url", url),
        httpx2.Client(trust_env=False, timeout=60) as browser,
    ):
        page = {"accept": "text/html", "sec-fetch-mode": "navigate"}
        if name == "nginx" or not strip:  # handle_path says nothing about the slash
            redirect = browser.get(url, headers=page)
            assert redirect.status_code in (301, 308)
            assert redirect.headers["location"].endswith("/quoth/")
        away = browser.get(f"{url}/", headers=page)
        assert (away.status_code, away.headers["location"]) == (303, "/quoth/login?next=")
        assert "Sign in" in browser.get(f"{url}/login").text
        origin = {"origin": f"http://127.0.0.1:{port}"}
        form = {"password": WORDS, "next": "?chat=abc"}
        back = browser.post(f"{url}/login", data=form, headers=origin)
        assert (back.status_code, back.headers["location"]) == (303, "/quoth/?chat=abc")
        assert "Path=/quoth/" in back.headers["set-cookie"]
        assert browser.get(f"{url}/config").json()["root"] == url
        asked = {"question": "Where are dogs kept on a lead?"}
        stream = {"accept": "text/event-stream", **origin}
        with browser.stream("POST", f"{url}/api/ask", json=asked, headers=stream) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            assert "Dogs are kept on a lead in the garden." in reply.read().decode()
        files = {"files": ("long.txt", b"The hose is rolled up after use. " * 60_000)}
        uploaded = browser.post(f"{url}/api/documents", files=files, headers=origin)
        assert uploaded.status_code == 202
        assert browser.post(f"{url}/api/ask", json=asked).status_code == 200
        evil = {"origin": "https://evil.example"}
        assert browser.post(f"{url}/api/ask", json=asked, headers=evil).status_code == 403
