"""`quoth serve`: the API without the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.address import Place
from qa.cli_options import library_option
from qa.web.server import ServerOptions, run, server_options

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

    from index import Library
    from qa.web.settings import PageSettings

__all__ = ["serve"]


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@library_option
@server_options
def serve(folder: Path | None, library: Place | None, options: ServerOptions) -> None:
    """Answer programs over HTTP, without the page.

    With FOLDER its documents are indexed first, or brought up to date. What can be asked is
    described at /api/docs, for programs at /api/openapi.json. Only this machine can reach it
    unless you give --host.
    """
    run(folder, library, options, _build)


def _build(library: Library, settings: PageSettings) -> FastAPI:
    """Return the application; who opens its address in a browser is led to the description."""
    from starlette.responses import RedirectResponse

    from qa.web.app import create_app

    app = create_app(library, settings=settings)

    @app.get("/", include_in_schema=False)
    def to_the_description() -> Response:
        # Relative, since a reverse proxy may have the server under a path.
        return RedirectResponse("api/docs")

    return app
