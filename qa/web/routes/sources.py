"""Sources opened: what is around a citation, the rest of the document, pages, the file itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi import Request as HttpRequest
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from qa.web.opened_file import OpenedFile
from qa.web.owner import owner_of
from qa.web.replies import BusyError, Json
from qa.web.schemas import problems
from qa.web.services import Services
from qa.web.source_pages import PageView
from qa.web.source_reference import Reference, parse_spans
from qa.web.source_search import SearchView
from qa.web.source_text import OutlineView, Stretch
from qa.web.sources import PreviewView, SourceView

__all__ = ["source_routes"]

_HOUR = {"cache-control": "private, max-age=3600"}
_MOST = 10**12

Document = Annotated[
    str, Path(description="Number and hash of a document: the part of a citation before the slash.")
]
Span = Annotated[str, Path(description="Characters of the document's text, such as 120-164.")]
Offset = Annotated[int | None, Query(ge=0, le=_MOST, description="In characters of the text.")]
From = Annotated[
    int | None, Query(alias="from", ge=0, le=_MOST, description="In characters of the text.")
]


def source_routes(services: Services) -> APIRouter:
    """Return the routes for opening sources."""
    router = APIRouter(tags=["sources"])
    sources, pictures = services.sources, services.pictures

    async def opened(reference: Reference, request: HttpRequest) -> Response:
        """Return a source, without its printed page where too many others have pages drawn."""
        try:
            async with pictures.through(owner_of(request)):
                view = await run_in_threadpool(sources.open, reference)
        except BusyError:
            view = await run_in_threadpool(sources.open, reference, printed=False)
        return Json(asdict(view))

    # What has a fixed name comes before what is a span.
    @router.get("/source/{document}/text", response_model=Stretch)
    def text(
        document: Document,
        from_: From = None,
        to: Offset = None,
        at: Offset = None,
    ) -> Response:
        """Return text by block: from `from` on, up to `to`, between both, or around `at`."""
        if at is not None:
            return Json(asdict(sources.around(document, at)))
        return Json(asdict(sources.text(document, from_, to)))

    @router.get("/source/{document}/outline", response_model=OutlineView)
    def outline(document: Document) -> Response:
        """Return the headings of a document."""
        return Json(asdict(sources.outline(document)))

    @router.get("/source/{document}/search", response_model=SearchView)
    def search(document: Document, q: Annotated[str, Query(max_length=200)]) -> Response:
        """Return where some words stand in a document, whatever their case."""
        return Json(asdict(sources.search(document, q)))

    @router.get(
        "/source/{document}/page/{number}", response_model=PageView, responses=problems(503)
    )
    async def page(
        request: HttpRequest,
        document: Document,
        number: int,
        spans: Annotated[str, Query(max_length=16_000, description="Such as 10-20,30-44.")] = "",
    ) -> Response:
        """Return a page of a PDF and where the spans stand on it, in percent of its size."""
        places = parse_spans(spans)
        # Drawn under a limit of its own: pages that take long must not take the threads of all.
        async with pictures.through(owner_of(request)):
            view = await run_in_threadpool(sources.page, document, number, places)
        return Json(asdict(view))

    @router.get(
        "/source/{document}/file",
        response_class=FileResponse,
        responses={200: {"content": {"application/pdf": {}, "application/octet-stream": {}}}},
    )
    def file(document: Document) -> Response:
        """Return the file itself, if it is still what was indexed: a PDF to read, others to save.

        No other kind is opened in the browser: an HTML file of somebody else's would be a page
        of ours.
        """
        original = sources.original(document)
        return OpenedFile(
            original.file,
            original.path,
            name=original.name,
            media_type="application/pdf" if original.pdf else "application/octet-stream",
            inline=original.pdf,
            headers={"cache-control": "private, no-cache"},
        )

    @router.get("/source/{document}/{span}/preview", response_model=PreviewView)
    def preview(document: Document, span: Span) -> Response:
        """Return a quote with the sentences before and after it."""
        return Json(asdict(sources.preview(Reference.parse(document, span))))

    @router.get("/source/{document}/{span}", response_model=SourceView)
    async def source(document: Document, span: Span, request: HttpRequest) -> Response:
        """Return what stands at a citation, with the text around it."""
        return await opened(Reference.parse(document, span), request)

    @router.get("/source/{document}", response_model=SourceView)
    async def whole(document: Document, request: HttpRequest) -> Response:
        """Return a document from its beginning, without a quote."""
        return await opened(Reference.parse(document), request)

    @router.get(
        "/page/{document}/{number}.png",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}, **problems(503)},
    )
    async def image(
        request: HttpRequest,
        document: Document,
        number: int,
        scale: Annotated[float, Query(gt=0, le=4, description="Dots a point.")] = 2,
    ) -> Response:
        """Return a page of a PDF as an image; its address changes when the text does."""
        async with pictures.through(owner_of(request)):
            data = await run_in_threadpool(sources.image, document, number, scale)
        return Response(data, media_type="image/png", headers=_HOUR)

    return router
