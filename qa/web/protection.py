"""What stands before the application, from the outside in.

Name and shape of the request, whose browser it is, the password, a fair share, the door of Gradio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.web.auth import Login
from qa.web.chat_door import ChatDoor
from qa.web.guard import Guard
from qa.web.owner import Owner
from qa.web.share import Share

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qa.web.settings import PageSettings

__all__ = ["protect"]


def protect(app: FastAPI, settings: PageSettings) -> None:
    """Put the gates before `app`, and before whatever is mounted into it later."""
    # The one added last is the first that a request comes to.
    app.add_middleware(ChatDoor)
    app.add_middleware(Share, limits=settings.limits)
    if settings.password is not None:
        app.add_middleware(Login, settings=settings, password=settings.password)
    app.add_middleware(Owner, path=settings.path)
    app.add_middleware(Guard, settings=settings)
