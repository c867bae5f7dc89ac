"""The password: what lets in, what stays closed without it, and what guessing costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse
from walking import addresses

from qa.web.address import PublicAddress
from qa.web.app import create_app
from qa.web.auth import SESSION_COOKIE, Login
from qa.web.cookies import cookie_header, cookie_name
from qa.web.login_page import LOGIN_FILES, LoginPage, safe_next
from qa.web.password import Password, PasswordError
from qa.web.sessions import Sessions
from qa.web.settings import STATIC, PageSettings
from qa.web.throttle import Throttle, network_of

if TYPE_CHECKING:
    from index import Library

ORIGIN = "http://127.0.0.1:7860"
WORDS = "correct horse battery"
PAGE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "accept": "text/html"}
STATIC_FOLDER = Path(__file__).parents[3] / "qa/web/static"


@pytest.fixture(scope="module")
def password() -> Password:
    """The password, hashed once."""
    return Password.of(WORDS)


@pytest.fixture(scope="module")
def with_token(password: Password) -> tuple[Password, str]:
    """The password with a token for a program, and the token."""
    return password.with_token("backup")


@pytest.fixture
def client(library: Library, with_token: tuple[Password, str]) -> Iterator[TestClient]:
    """A browser at a server with a password."""
    settings = PageSettings(password=with_token[0], title="Our <b>rules</b>")
    app = create_app(library, settings=settings)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, words: str = WORDS, next: str = "") -> Any:  # noqa: ANN401
    return client.post("/login", data={"password": words, "next": next}, headers={"origin": ORIGIN})


# What is closed


def test_without_signing_in_every_route_is_closed(client: TestClient) -> None:
    """Every route of the application, by every method; Gradio's are in tests/browser."""
    every = addresses(client.app)
    every |= {("GET", f"{STATIC}/{file.name}") for file in STATIC_FOLDER.iterdir()}
    for known in ("/api/v1/ask", "/api/ask", "/api/documents", f"{STATIC}/page.js"):
        assert known in {path for _, path in every}
    for method, path in sorted(every - {("GET", path) for path in LOGIN_FILES}):
        reply = client.request(method, path)
        assert reply.status_code == 401, (method, path)


def test_a_program_is_told_what_it_needs(client: TestClient) -> None:
    reply = client.get("/api/health")
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"] == 'Bearer realm="Quoth"'
    assert "Authorization: Bearer" in reply.json()["detail"]


def test_a_person_is_led_to_the_form_and_back(client: TestClient) -> None:
    away = client.get("/?chat=abcdefghijklmnop&x=1", headers=PAGE)
    assert away.status_code == 303
    assert away.headers["location"] == "/login?next=%3Fchat%3Dabcdefghijklmnop%26x%3D1"
    form = client.get(away.headers["location"])
    assert form.status_code == 200
    wanted = re.search(r'name="next" value="([^"]*)"', form.text)
    assert wanted is not None
    back = sign_in(client, next=wanted[1].replace("&amp;", "&"))
    assert back.status_code == 303
    assert back.headers["location"] == "/?chat=abcdefghijklmnop&x=1"


@pytest.mark.parametrize("name", ["tokens.css", "login.css", "login.js"])
def test_what_the_form_needs_is_open(client: TestClient, name: str) -> None:
    assert client.get(f"{STATIC}/{name}").status_code == 200
    assert f"{STATIC[1:]}/{name}" in client.get("/login").text


def test_the_form_shows_the_title_as_text(client: TestClient) -> None:
    assert "Our &lt;b&gt;rules&lt;/b&gt;" in client.get("/login").text


# Signing in and out


def test_the_password_opens_everything_until_one_signs_out(client: TestClient) -> None:
    reply = sign_in(client)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    morsel = SimpleCookie(reply.headers["set-cookie"])[SESSION_COOKIE]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert not morsel["secure"]
    assert len(morsel.value) == 43  # 256 bits
    assert client.get("/api/health").status_code == 200
    assert client.get("/login", headers=PAGE).headers["location"] == "/"
    out = client.post("/logout", headers={"origin": ORIGIN})
    assert (out.status_code, out.headers["location"]) == (303, "/login?out=1")
    assert "You are signed out." in client.get("/login?out=1").text
    again = {"cookie": f"{SESSION_COOKIE}={morsel.value}"}
    assert client.get("/api/health", headers=again).status_code == 401


def test_a_wrong_password_is_told_and_opens_nothing(client: TestClient) -> None:
    reply = sign_in(client, "correct horse", next="?chat=abc")
    assert reply.status_code == 401
    assert '<p id="problem" role="alert">That is not the password. Try again.</p>' in reply.text
    assert 'value="?chat=abc"' in reply.text
    assert SESSION_COOKIE not in reply.headers.get("set-cookie", "")
    assert client.get("/api/health").status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"password=", b"\xff\xfe", b"&" * 500, b"password=" + b"x" * 30_000, b"a=1&" * 50],
)
def test_a_form_that_is_none_opens_nothing(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": ORIGIN}
    reply = client.post("/login", content=body, headers=headers)
    assert reply.status_code == 401
    assert SESSION_COOKIE not in reply.headers.get("set-cookie", "")


def test_another_page_can_neither_sign_in_nor_out(client: TestClient) -> None:
    sign_in(client)
    for path in ("/login", "/logout"):
        reply = client.post(path, data={"password": WORDS}, headers={"origin": "https://evil.test"})
        assert reply.status_code == 403
        assert client.get("/logout").status_code == 405
    assert client.get("/api/health").status_code == 200


def test_signing_in_gives_a_session_another_name(client: TestClient) -> None:
    """A cookie that somebody else has put there is worth nothing afterwards."""
    client.cookies.set(SESSION_COOKIE, "prepared")
    sign_in(client)
    fresh = TestClient(client.app, base_url=ORIGIN)
    fresh.cookies.set(SESSION_COOKIE, "prepared")
    assert fresh.get("/api/health").status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_program_signs_in_with_a_token(
    client: TestClient, with_token: tuple[Password, str], scheme: str
) -> None:
    headers = {"authorization": f"{scheme} {with_token[1]}"}
    assert client.get("/api/health", headers=headers).status_code == 200


def test_programs_have_conversations_of_their_own(
    client: TestClient, with_token: tuple[Password, str]
) -> None:
    """One program's name is no other's, and no browser's."""
    headers = {"authorization": f"Bearer {with_token[1]}"}
    chat = "c" * 32
    asked = {"question": "How often is the lift inspected?", "conversation": chat}
    assert client.post("/api/ask", json=asked, headers=headers).status_code == 200
    path = f"/api/conversations/{chat}"
    assert client.get(path, headers=headers).status_code == 200
    sign_in(client)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", WORDS, "é"])
def test_no_other_token_opens_anything(client: TestClient, token: str) -> None:
    headers = {b"authorization": f"Bearer {token}".encode()}
    reply = client.get("/api/health", headers=headers)
    assert reply.status_code == 401
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_what_was_shown_is_not_kept_by_the_browser(client: TestClient) -> None:
    sign_in(client)
    for path in ("/api/health", "/api/documents", "/login"):
        assert "no-store" in client.get(path).headers["cache-control"]


def test_behind_a_proxy_cookies_and_ways_stay_under_the_path(
    library: Library, password: Password
) -> None:
    public = PublicAddress.parse("https://docs.example.org/quoth")
    app = create_app(library, settings=PageSettings(password=password, public=public))
    client = TestClient(
        app, base_url="https://docs.example.org", follow_redirects=False, client=("127.0.0.1", 9)
    )
    assert client.get("/quoth/", headers=PAGE).headers["location"] == "/quoth/login?next="
    headers = {"origin": "https://docs.example.org"}
    reply = client.post("/quoth/login", data={"password": WORDS}, headers=headers)
    assert reply.headers["location"] == "/quoth/"
    morsel = SimpleCookie(reply.headers["set-cookie"])[f"__Secure-{SESSION_COOKIE}"]
    assert morsel["path"] == "/quoth/"
    assert morsel["secure"]
    assert client.get("/quoth/api/health").status_code == 200


# Where one goes afterwards


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?chat=abcdefghijklmnop",
        "?chat=abc#cite/12-0123456789ab/10-20",
        "#cite/12-0123456789ab/10-20",
        "api/docs",
        "api/conversations/abc/export?format=html",
        "?q=a:b//c",
    ],
)
def test_one_goes_on_where_one_wanted_to(address: str) -> None:
    assert safe_next(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/evil",
        "/\\evil.example",
        "\\\\evil.example",
        "\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        ":80",
        "../other",
        "a/../../other",
        "%2e%2e/other",
        ".%2E/other",
        "\t//evil.example",
        "\n/evil",
        " /evil",
        "a b",
        "é",
        "a//b",
        "login",
        "logout?x",
        "?" + "x" * 3_000,
    ],
)
def test_one_never_goes_elsewhere(address: str) -> None:
    assert safe_next(address) == ""


# Guessing


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def test_five_failures_are_free_and_then_each_takes_longer() -> None:
    clock = Clock()
    throttle = Throttle(clock=clock)
    assert [throttle.seconds_to_wait("10.0.0.1", "a") for _ in range(5)] == [0] * 5
    assert throttle.seconds_to_wait("10.0.0.1", "b") == 3
    assert throttle.seconds_to_wait("10.0.0.2", "a") == 0
    for pause in (2, 4, 8, 16):
        clock.now += pause - 0.5
        assert throttle.seconds_to_wait("10.0.0.1", "a") == 1
        clock.now += 0.5
        assert throttle.seconds_to_wait("10.0.0.1", "a") == 0
    for _ in range(20):
        clock.now += 900
        assert throttle.seconds_to_wait("10.0.0.1", "a") == 0
    clock.now += 899
    assert throttle.seconds_to_wait("10.0.0.1", "a") > 0
    clock.now += 3_600
    assert [throttle.seconds_to_wait("10.0.0.1", "a") for _ in range(5)] == [0] * 5


def test_success_makes_up_for_failures() -> None:
    throttle = Throttle(clock=Clock())
    for _ in range(50):
        assert throttle.seconds_to_wait("10.0.0.1", "a") == 0
        throttle.succeeded("10.0.0.1", "a")


def test_guessers_with_many_addresses_do_not_lock_out_who_was_here_before() -> None:
    throttle = Throttle(clock=Clock())
    throttle.seconds_to_wait("10.9.9.9", "known")
    throttle.succeeded("10.9.9.9", "known")
    waits = [throttle.seconds_to_wait(f"10.0.{n}.1", f"guesser {n}") for n in range(100)]
    assert waits[:60] == [0] * 60
    assert all(waits[60:])
    assert throttle.seconds_to_wait("10.9.9.9", "known") == 0
    assert throttle.seconds_to_wait("10.9.9.8", "stranger") > 0


def test_a_guesser_at_the_same_address_does_not_lock_out_who_was_here_before() -> None:
    """Colleagues share an address, and behind some proxies everyone does."""
    clock = Clock()
    throttle = Throttle(clock=clock)
    throttle.seconds_to_wait("10.0.0.1", "known")
    throttle.succeeded("10.0.0.1", "known")
    waits = [throttle.seconds_to_wait("10.0.0.1", "guesser") for _ in range(6)]
    assert waits == [0] * 5 + [3]
    assert [throttle.seconds_to_wait("10.0.0.1", "known") for _ in range(5)] == [0] * 5
    assert throttle.seconds_to_wait("10.0.0.1", "known") == 3  # who knows it guesses no more


def test_the_memory_of_guesses_is_bounded() -> None:
    """Many addresses, whatever they are, take up no more than so many entries."""
    clock = Clock()
    throttle = Throttle(clock=clock)
    for number in range(12_000):
        clock.now += 61  # so that all together are not too many
        throttle.seconds_to_wait(f"2001:db8:{number >> 8:x}:{number & 255:x}::1", "")
    assert len(throttle._failures) == 10_000
    assert len(throttle._all) == 1
    assert len(throttle._known) == 0


def test_a_browser_without_a_cookie_is_never_known() -> None:
    """Or one person who signs in without one would let in all guessers."""
    throttle = Throttle(clock=Clock())
    throttle.seconds_to_wait("10.9.9.9", "")
    throttle.succeeded("10.9.9.9", "")
    waits = [throttle.seconds_to_wait(f"10.0.{n}.1", "") for n in range(61)]
    assert waits[-1] > 0


def test_half_an_ipv6_address_is_one_household() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1")


def test_who_guesses_too_often_waits_even_with_the_right_password(client: TestClient) -> None:
    for _ in range(5):
        assert sign_in(client, "wrong").status_code == 401
    reply = sign_in(client)
    assert reply.status_code == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 3
    assert 'role="alert">Too many wrong passwords. Try again in ' in reply.text
    assert client.get("/api/health").status_code == 401


# Sessions


def test_a_session_ends_when_unused_and_in_any_case() -> None:
    clock = Clock()
    sessions = Sessions(idle=10, absolute=25, clock=clock)
    token = sessions.begin()
    clock.now = 9
    key = sessions.use(token)
    assert key is not None
    assert token not in key
    clock.now = 18
    assert sessions.goes_on(key)
    assert sessions.use(token) == key
    clock.now = 25
    assert sessions.use(token) is None
    other = sessions.begin()
    clock.now = 35
    assert sessions.use(other) is None
    assert sessions.use("") is None


def test_a_stream_ends_with_its_session(password: Password) -> None:
    """Signing out in one tab ends what another still receives."""
    sessions = Sessions()
    token = sessions.begin()
    app = FastAPI()

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def parts() -> Iterator[str]:
            for number in range(10):
                if number == 3:
                    sessions.end(token)
                yield f"part {number}\n"

        return StreamingResponse(parts(), media_type="text/event-stream")

    app.add_middleware(Login, settings=PageSettings(), password=password, sessions=sessions)
    client = TestClient(app, base_url=ORIGIN, cookies={SESSION_COOKIE: token})
    reply = client.get("/stream")
    assert reply.text == "part 0\npart 1\npart 2\n"


# The look


def test_the_dark_colours_are_those_of_the_page() -> None:
    """login.css repeats them, because without script nothing says that the body is dark."""
    tokens = (STATIC_FOLDER / "tokens.css").read_text()
    login = (STATIC_FOLDER / "login.css").read_text()
    dark = tokens[tokens.index("body.dark {") :]
    wanted = re.findall(r"--[\w-]+: [^;]+;", dark[: dark.index("}")])
    assert wanted
    found = re.findall(r"--[\w-]+: [^;]+;", login[: login.index("html {")])
    assert found == wanted


def test_the_form_helps_password_managers_and_needs_no_script() -> None:
    page = LoginPage(title="Quoth", next='"><script>').html()
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="username"' in page
    assert '<form method="post" action="login">' in page
    assert page.count("<script") == 1  # ours


def test_a_cookie_that_goes_is_told_so() -> None:
    name, value = cookie_header("a", "", path="/", secure=True, seconds=0)
    assert name == b"set-cookie"
    assert value == b"__Host-a=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure"


@pytest.mark.parametrize(
    ("path", "secure", "name"),
    [("/", False, "a"), ("/", True, "__Host-a"), ("/quoth/", True, "__Secure-a")],
)
def test_over_https_no_other_server_of_the_domain_can_set_a_cookie(
    path: str, secure: bool, name: str
) -> None:
    assert cookie_name("a", path=path, secure=secure) == name


# The file


def test_the_file_holds_neither_password_nor_token(tmp_path: Path) -> None:
    file = tmp_path / "password"
    made, token = Password.of(WORDS).with_token("backup")
    made.write(file)
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert WORDS not in text
    assert token not in text
    again = Password.read(file)
    assert again == made
    assert again.matches(WORDS)
    assert not again.matches(WORDS + " ")
    assert again.token_name(token) == "backup"
    assert again.token_name(token[:-1]) is None
    assert again.token_name("") is None
    assert [path.name for path in tmp_path.iterdir()] == ["password"]
    assert WORDS not in repr(again)
    assert again.hashed not in repr(again)


def test_accents_may_be_composed_either_way() -> None:
    assert Password.of("caf\u00e9 au lait").matches("cafe\u0301 au lait")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("# only a remark\n", "it is empty"),
        ("correct horse battery\n", "it holds something that is not a hash"),
        ("password correct-horse-battery\n", "what stands in it for the password is not a hash"),
        ("token backup " + "0" * 64 + "\n", "it holds no password"),
        ("password $argon2id$x\ntoken a b\n", "it holds something that is not a hash"),
    ],
)
def test_a_file_that_is_no_good_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "password"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(PasswordError) as raised:
        Password.read(file)
    assert str(raised.value) == (
        f"{file} is not a password file: {said}; `quoth password {file}` makes one."
    )


def test_a_file_that_others_can_change_is_refused(tmp_path: Path, password: Password) -> None:
    file = tmp_path / "password"
    password.write(file)
    file.chmod(0o620)
    with pytest.raises(PasswordError, match=r"can change the password file .* run `chmod 600"):
        Password.read(file)
    file.chmod(0o444)  # as secrets are mounted into containers
    assert Password.read(file) == password


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PasswordError, match=r"There is no password file at .*makes one\.$"):
        Password.read(tmp_path / "missing")
    with pytest.raises(PasswordError, match="is a folder, not a password file"):
        Password.read(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PasswordError, match="is not a password file"):
        Password.read(tmp_path / "binary")


@pytest.mark.parametrize("words", ["", "short", " " * 40, "x" * 1_001])
def test_a_weak_password_is_refused(words: str) -> None:
    with pytest.raises(PasswordError):
        Password.of(words)


def test_a_redirect_names_no_host(client: TestClient) -> None:
    for reply in (client.get("/", headers=PAGE), sign_in(client)):
        parts = urlsplit(reply.headers["location"])
        assert (parts.scheme, parts.netloc) == ("", "")
        assert all(not value.startswith("/") for value in parse_qs(parts.query).get("next", []))
