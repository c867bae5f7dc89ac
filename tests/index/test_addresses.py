"""Addresses: where the parts of a library are, and that no password is ever shown or kept."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import HashEncoder, write

from index import Library
from index.address import FILE, SCHEMA, Address, address_of, home_id, is_remote, without_password
from index.errors import LibraryError, LibraryFormatError
from index.opening import _remember

POSTGRES = "postgresql://anna@db.example/house"
MILVUS = "milvus+http://vectors.example:19530/house"
SECRET = "hunter2"
# Every place in which libpq takes a password, and as many as it takes.
WITH_PASSWORD = (
    f"postgresql://anna:{SECRET}@db.example/house",
    f"postgres://anna:{SECRET}@db.example:5433/house?schema=policies&sslmode=require",
    f"postgresql://:{SECRET}@db.example/house",
    f"postgresql://db.example/house?password={SECRET}",
    f"postgresql://db.example/house?user=anna&password={SECRET}",
    f"postgresql://db.example/house?password={SECRET}&user=anna",
    f"postgresql://db.example/house?sslmode=require&password={SECRET}&schema=policies",
    f"postgresql://db.example/house?password={SECRET}&password={SECRET}",
    f"postgresql://db.example/house?sslkey=key.pem&sslpassword={SECRET}",
    f"postgresql://anna:{SECRET}@db.example/house?password={SECRET}",
    f"milvus+http://anna:{SECRET}@vectors.example:19530/house?store={POSTGRES}",
    f"milvus+https://vectors.example/house?store=postgresql://anna:{SECRET}@db.example/house",
    f"{MILVUS}?store={POSTGRES}?schema=policies&password={SECRET}",
    f"policies.db?store=postgresql://anna:{SECRET}@db.example/house?schema=policies",
)
# No addresses of anything, but what somebody types who does not know %2F: they are in the error.
MISTYPED = (
    f"postgresql://anna:s/{SECRET}@db.example/house",
    f"postgresql://anna:s@{SECRET}@db.example/house",
    f"postgresql://anna:s?{SECRET}@db.example/house",
)
BAD = (
    'postgresql://db.example/house?schema=a";drop schema public;--',
    "postgresql://db.example/house?schema=",
    "postgresql://db.example/house?schema=2024",
    "postgresql://db.example/house?schema=zwei%20worte",
    f"postgresql://db.example/house?schema={'a' * 64}",
    "milvus+http://",
    "milvus+http:///house",
    "milvus+https://?store=postgresql://db.example/house",
    "milvus+http://vectors.example/two/names",
    "milvus+http://vectors.example/zwei%20worte",
    "milvus+http://vectors.example/house?token=abc",
    "milvus+http://[::1/house",
    "milvus+http://vectors.example/house?store=",
    "milvus+http://vectors.example/house?store=mysql://db.example/house",
    "milvus+http://vectors.example/house?store=house.quoth",
    "policies.db?store=sqlite:///house.db",
)

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,62}", fullmatch=True)
# What stands in an address as it is; anything else is written as %XX.
passwords = st.from_regex(r"([A-Za-z0-9._~!$'()*+,;=-]|%[2-7][0-9A-F])*", fullmatch=True)


@contextmanager
def home_at(folder: Path) -> Iterator[None]:
    """Keep homes in `folder`; hypothesis allows no fixture that lasts for one example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUOTH_HOME", str(folder))
        yield


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine keeps what belongs to libraries elsewhere."""
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "homes"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "homes"


def parts(address: Address) -> tuple[str | None, str, str | None, str]:
    return address.store, address.schema, address.engine, address.collection


def test_a_folder_is_all_of_a_library(tmp_path: Path) -> None:
    address = address_of("policies.quoth")
    assert address == Address(Path("policies.quoth"))
    assert not address.remote
    assert str(address) == "policies.quoth"
    assert address_of("~/policies.quoth").home == Path.home() / "policies.quoth"
    assert address_of(tmp_path / "policies.quoth").home == tmp_path / "policies.quoth"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (POSTGRES, (POSTGRES, SCHEMA, None, SCHEMA)),
        ("postgres:///house", ("postgres:///house", SCHEMA, None, SCHEMA)),
        (f"{POSTGRES}?schema=policies", (POSTGRES, "policies", None, SCHEMA)),
        (
            f"{POSTGRES}?sslmode=require&schema=policies&connect_timeout=3",
            (f"{POSTGRES}?sslmode=require&connect_timeout=3", "policies", None, SCHEMA),
        ),
        (MILVUS, (None, SCHEMA, "http://vectors.example:19530", "house")),
        ("milvus+https://h", (None, SCHEMA, "https://h", SCHEMA)),
        (
            f"{MILVUS}?store={POSTGRES}?sslmode=require&schema=policies",
            (f"{POSTGRES}?sslmode=require", "policies", "http://vectors.example:19530", "house"),
        ),
    ],
)
def test_an_address_is_taken_apart(
    homes: Path, text: str, expected: tuple[str | None, str, str | None, str]
) -> None:
    address = address_of(text)
    assert is_remote(text)
    assert address.remote
    assert parts(address) == expected
    assert address.home.parent == homes
    assert address_of(str(address)) == address


def test_a_file_of_milvus_lite_has_its_home_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "policies.db"
    address = address_of("policies.db")
    assert address == Address(tmp_path / "policies.db.quoth", engine=str(file))
    assert str(address) == str(file)
    shared = address_of(f"policies.db?store={POSTGRES}?schema=policies")
    assert parts(shared) == (POSTGRES, "policies", str(file), SCHEMA)
    assert shared.home == address.home
    assert str(shared) == f"{file}?store={POSTGRES}?schema=policies"
    assert address_of(str(shared)) == shared


@pytest.mark.parametrize("text", ["policies.quoth", "db", "a/b.db/c", "http://x/y", "postgresql"])
def test_what_is_no_address_is_a_folder(text: str) -> None:
    assert not is_remote(text)
    assert address_of(text) == Address(Path(text))


@pytest.mark.parametrize("text", WITH_PASSWORD + MISTYPED)
def test_a_password_is_never_shown_nor_written_down(text: str, homes: Path) -> None:
    address = address_of(text)
    assert SECRET not in str(address)
    assert SECRET not in json.dumps(address.recorded())
    assert SECRET not in address.home.name
    assert SECRET not in without_password(text)
    _remember(address)
    (written,) = address.home.iterdir()
    assert written.name == FILE
    assert SECRET not in written.read_text()
    # It is still there for the connection.
    assert SECRET in f"{address.store} {address.engine}"


@pytest.mark.parametrize("text", WITH_PASSWORD)
def test_without_its_password_it_is_the_same_library(text: str) -> None:
    address = address_of(text)
    again = address_of(str(address))
    assert again.home == address.home
    assert again.recorded() == address.recorded()


@pytest.mark.parametrize("text", BAD)
def test_a_bad_address_is_told_in_one_sentence(text: str, homes: Path) -> None:
    with pytest.raises(LibraryError) as caught:
        address_of(text)
    assert re.fullmatch(r"[^\n]{20,250}\.", str(caught.value))
    assert not homes.exists()


def test_a_bad_address_is_told_without_its_password() -> None:
    for text in (
        f"milvus+http://anna:{SECRET}@vectors.example/two/names",
        f"{MILVUS}?store=mysql://anna:{SECRET}@db.example/house",
        f"{MILVUS}?store=mysql://db.example/house?password={SECRET}",
    ):
        with pytest.raises(LibraryError) as caught:
            address_of(text)
        assert SECRET not in str(caught.value)


def test_a_home_may_be_given_in_place_of_the_address(homes: Path) -> None:
    for text in WITH_PASSWORD[:-1]:  # a file is known by its name beside the home
        address = address_of(text)
        _remember(address)
        found = address_of(address.home)
        assert found == address_of(str(address))
        assert found.remote
        # It keeps its identity, whatever is remembered once more.
        before = home_id(address.home)
        _remember(found)
        assert home_id(address.home) == before != ""


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"store": "postgresql://h/d"}', b'{"id": 1}']
)
def test_a_home_that_cannot_be_read_is_told(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "home.quoth", {FILE: content})
    with pytest.raises(LibraryFormatError, match=r"remote\.json cannot be read, .*its address"):
        address_of(tmp_path / "home.quoth")


def test_a_file_moved_with_its_home_is_found_at_its_new_place(tmp_path: Path) -> None:
    """Only the address: that it opens is a test of its engine."""
    (tmp_path / "old").mkdir()
    _remember(address_of(tmp_path / "old" / "policies.db"))
    identity = home_id(tmp_path / "old" / "policies.db.quoth")
    (tmp_path / "old").rename(tmp_path / "new")
    file, home = tmp_path / "new" / "policies.db", tmp_path / "new" / "policies.db.quoth"
    assert address_of(home) == address_of(file) == Address(home, engine=str(file))
    assert home_id(home) == identity
    os.chdir(tmp_path / "new")
    assert address_of("policies.db.quoth").engine == str(file)


def test_a_library_of_its_own_is_not_taken_for_a_home(tmp_path: Path) -> None:
    with Library.open(tmp_path / "house.quoth", create=True, encoder=HashEncoder()) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
    assert home_id(tmp_path / "house.quoth") == ""
    with pytest.raises(LibraryFormatError, match=r"is a library of its own.*quoth copy"):
        Library.open(Address(tmp_path / "house.quoth", store=POSTGRES), create=True)
    assert not (tmp_path / "house.quoth" / FILE).exists()


def test_homes_lie_in_the_folder_of_the_user_where_nothing_else_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("QUOTH_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert address_of(POSTGRES).home.parent == tmp_path / "data" / "quoth"
    monkeypatch.setenv("QUOTH_HOME", "~/homes")
    assert address_of(POSTGRES).home.parent == Path.home() / "homes"


def test_a_home_is_named_so_that_people_know_it() -> None:
    name = address_of(f"postgresql://anna:{SECRET}@db.example/house?schema=policies").home.name
    assert re.fullmatch(r"postgresql-db-example-house-schema-policies-[0-9a-f]{8}\.quoth", name)
    long = address_of(f"postgresql://{'a' * 300}/house").home.name
    assert len(long) < 100


@given(user=names, database=names, schema=names, one=passwords, other=passwords)
def test_the_home_is_the_same_with_another_password(
    tmp_path_factory: pytest.TempPathFactory,
    user: str,
    database: str,
    schema: str,
    one: str,
    other: str,
) -> None:
    rest = f"db.example/{database}?schema={schema}"
    with home_at(tmp_path_factory.getbasetemp()):
        homes = {
            address_of(text).home
            for text in (
                f"postgresql://{user}@{rest}",
                f"postgresql://{user}:{one}@{rest}",
                f"postgresql://{user}:{other}@{rest}",
                f"postgresql://{user}@{rest}&password={one.replace('&', '')}",
                f"postgresql://{user}@{rest.replace('?', f'?password={other}&')}",
            )
        }
    assert len(homes) == 1


@given(
    one=st.tuples(names, names, names, names),
    other=st.tuples(names, names, names, names),
)
def test_the_home_is_another_for_another_library(
    tmp_path_factory: pytest.TempPathFactory,
    one: tuple[str, str, str, str],
    other: tuple[str, str, str, str],
) -> None:
    with home_at(tmp_path_factory.getbasetemp()):
        first, second = (
            address_of(f"milvus+http://v/{c}?store=postgresql://{u}@db/{d}?schema={s}").home
            for u, d, s, c in (one, other)
        )
        schemas = [address_of(f"postgresql://db/x?schema={name[2]}").home for name in (one, other)]
    assert (first == second) == (one == other)
    assert (schemas[0] == schemas[1]) == (one[2] == other[2])
