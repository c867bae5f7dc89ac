"""Runs a server: what `quoth chat` and `quoth serve` have in common.

`server_options` gives a command its options as one `ServerOptions`; `run` does the rest.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.address import Place
from index.errors import QuothError
from qa.cli_options import resolve_library, unmade_on_failure
from qa.progress import sync_with_progress
from qa.web.address import PublicAddress, host_names, is_loopback, url_host

if TYPE_CHECKING:
    from fastapi import FastAPI

    from index import Library
    from qa.web.settings import PageSettings

__all__ = ["PORT", "ServerOptions", "listening", "run", "serve", "server_options"]

HOST = "127.0.0.1"
PORT = 7860
_PORTS_TRIED = 40
_SECONDS_TO_WARM = 30.0
_M_ARENA_MAX = -8  # of glibc's malloc.h
_MOST_FILES = 8_192  # open at a time: connections, uploads under way, the library


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What the command line says about a server.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 is any free one, None the first free one from 7860.
        read_only: Whether documents can neither be added nor removed.
        title: What the page is called.
        upload: Whether documents can be added.
        password_file: Made by `quoth password`; None: no password is asked.
        public_url: The address that people type, where a reverse proxy stands in front.
        open_: Whether to open the page in the browser.
    """

    host: str = HOST
    port: int | None = None
    read_only: bool = False
    title: str = "Quoth"
    upload: bool = True
    password_file: Path | None = None
    public_url: str | None = None
    open_: bool = False

    def settings(self) -> PageSettings:
        """Return how the page is served.

        Raises:
            click.UsageError: Other machines could reach it without a password.
            QuothError: The password file or the public address is no good.
        """
        from qa.web.password import Password
        from qa.web.settings import PageSettings

        local = is_loopback(self.host)
        if not local and self.password_file is None:
            raise click.UsageError(
                f"Other machines can reach {self.host}, so --host {self.host} needs "
                "--password-file FILE; `quoth password FILE` makes one."
            )
        return PageSettings(
            title=self.title,
            read_only=self.read_only,
            upload=self.upload,
            password=None if self.password_file is None else Password.read(self.password_file),
            password_file=self.password_file,
            public=None if self.public_url is None else PublicAddress.parse(self.public_url),
            hosts=host_names(self.host),
            any_ip=not local,
        )


_OPTIONS = (
    click.option(
        "--host",
        default=HOST,
        show_default="this machine only",
        metavar="ADDRESS",
        help="Address to listen on, such as 0.0.0.0 for all; needs --password-file.",
    ),
    click.option(
        "-p",
        "--port",
        type=click.IntRange(0, 65535),
        show_default=f"{PORT}, or the next that is free",
        help="Port to listen on.",
    ),
    click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        show_default="no password",
        help="Ask everyone for a password; `quoth password FILE` makes the file.",
    ),
    click.option(
        "--public-url",
        metavar="URL",
        show_default="no proxy",
        help="Address that people type, behind a reverse proxy: https://example.org/quoth.",
    ),
    click.option("--read-only", is_flag=True, help="Documents can be neither added nor removed."),
    click.option("--no-upload", is_flag=True, help="Documents cannot be added."),
    click.option("--title", default="Quoth", show_default=True, help="What the page is called."),
)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a server; `command` gets them as `options`."""

    @functools.wraps(command)
    def with_options(
        *args: Any,  # noqa: ANN401 - whatever the command takes
        host: str,
        port: int | None,
        password_file: Path | None,
        public_url: str | None,
        read_only: bool,
        no_upload: bool,
        title: str,
        open_: bool = False,
        **others: Any,  # noqa: ANN401
    ) -> None:
        options = ServerOptions(
            host=host,
            port=port,
            read_only=read_only,
            title=title,
            upload=not no_upload,
            password_file=password_file,
            public_url=public_url,
            open_=open_,
        )
        command(*args, options=options, **others)

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options


def run(
    folder: Path | None,
    library: Place | None,
    options: ServerOptions,
    build: Callable[[Library, PageSettings], FastAPI],
) -> None:
    """Serve until interrupted what `build` makes of the library.

    With `folder` its documents are indexed first, or brought up to date, unless the server only
    reads. The library is found as everywhere, see `resolve_library`.

    Raises:
        QuothError: The port, the library or the password file cannot be had.
        click.UsageError: The options do not go together, or `folder` is not there.
    """
    from index import Library
    from qa.web.password import Password

    if folder is not None and not folder.exists():
        raise click.UsageError(f"There is no folder or file at {folder}; nothing was changed.")
    path = resolve_library(folder, library)
    settings = options.settings()
    if options.password_file is not None and Password.readable_by_all(options.password_file):
        _warn(f"Everyone on this machine can read {options.password_file}; `chmod 600` helps.")
    with listening(options.host, options.port) as listener:
        if folder is not None and not options.read_only:
            _bring_up_to_date(path, folder)
        with Library.open(path, read_only=options.read_only) as opened:
            serve(build(opened, settings), opened, listener, settings, open_=options.open_)


def _bring_up_to_date(path: Place, source: Path) -> None:
    """Sync the library at `path`, which is made if need be, with `source`; report on stderr."""
    from index import Library
    from qa.lines import report_lines, to_text

    with unmade_on_failure(path), Library.open(path, create=True) as library:
        report = sync_with_progress(library, source)
    click.echo(to_text(report_lines(report)), err=True)


@contextlib.contextmanager
def listening(host: str, port: int | None) -> Iterator[socket.socket]:
    """Give a socket bound to `port` (0: any free one), or to the first free one from 7860.

    Bound before anything is indexed, so that a taken port is told at once.

    Raises:
        QuothError: The port or the address cannot be had.
    """
    wanted = [*range(PORT, PORT + _PORTS_TRIED), 0] if port is None else [port]
    family, address = _resolved(host)
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # A port that a page has just left is free, though its old connections linger.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for candidate in wanted:
            try:
                listener.bind((address, candidate))
                break
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise QuothError(f"{host} is not an address of this machine.") from None
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        else:
            raise QuothError(f"Port {port} cannot be used; another program may have it.")
        yield listener


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise QuothError(f"{host!r} is not an address of this machine.") from None
    return family, str(address[0])


def serve(
    app: FastAPI,
    library: Library,
    listener: socket.socket,
    settings: PageSettings,
    *,
    open_: bool = False,
) -> None:
    """Serve `app` until interrupted; once it answers, say where on stdout."""
    import uvicorn

    from qa.web.logs import log_discreetly
    from qa.web.slow import LONGEST_HEAD, ImpatientProtocol

    log_discreetly()
    _make_room()
    _share_memory()
    own = _own_address(listener)
    address = own if settings.public is None else str(settings.public)
    behind = "" if settings.public is None else f"listening at {own}; "

    warming = threading.Thread(target=_warm, args=(library,), daemon=True)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                click.echo(f"Quoth is at {address} ({behind}Ctrl+C stops it)")
                warming.start()
                if open_:
                    webbrowser.open(address)

    if settings.public is not None and settings.password is None:
        _warn(
            f"No password is asked, so whoever can reach {address} can ask; "
            "--password-file changes that."
        )
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        server_header=False,
        proxy_headers=False,  # the guard decides whom to believe
        # Open pages hold a stream that never ends by itself.
        timeout_graceful_shutdown=1,
    )
    # uvicorn stops in good order and then passes the signal on, which is no error: neither Ctrl+C
    # nor what systemd and Docker send.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])
    # A model that is still being loaded when the process ends would bring it down.
    if warming.is_alive():
        warming.join(_SECONDS_TO_WARM)


def _make_room() -> None:
    """Let the process have as many connections as a server may, where the system allows it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _share_memory() -> None:
    """Let threads take memory from two pools, not from one each, where the system has that choice.

    What a pool has once needed it keeps. With one for each thread (glibc makes up to eight a
    core), 20 people who ask cost 220 MB more, and no answer comes sooner.
    """
    with contextlib.suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _warn(sentence: str) -> None:
    click.echo(f"quoth: {sentence}", err=True)


def _own_address(listener: socket.socket) -> str:
    """Return an address of `listener` that a browser on this machine can open."""
    host, port = listener.getsockname()[:2]
    everywhere = {"0.0.0.0": HOST, "::": "::1"}
    return f"http://{url_host(everywhere.get(host, host))}:{port}"


def _warm(library: Library) -> None:
    """Load what the first question needs, while the person reads the page."""
    from qa import retrieve

    # What is wrong with the model is told to whoever asks.
    with contextlib.suppress(QuothError):
        retrieve("a first question", library=library, k=1)
