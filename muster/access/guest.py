"""A door for whoever looks at the demonstration: one address that signs them in, on this machine only.

Not among the application's handlers: `muster demo` adds it to the server it runs itself, over data that it
generated. Nobody else has it.
"""

from hmac import compare_digest
from secrets import token_urlsafe
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from muster.access import asking
from muster.access.asking import cookie_of
from muster.access.sessions import LOOPBACK_COOKIE, open_session
from muster.config import SESSION_HOURS
from muster.core.clock import now
from muster.web import Ask, NotFound, muster


class GuestDoor:
    """`path` opens the console for `account`, which must have signed what is to be signed."""

    def __init__(self, account: UUID) -> None:
        self._account = account
        self._code = token_urlsafe(16)

    @property
    def path(self) -> str:
        return f"/demonstration/{self._code}"

    def handler(self) -> HTTPRouteHandler:
        @get("/demonstration/{code:str}", right="public")
        async def show_demonstration(request: Ask, code: FromPath[str]) -> Redirect:
            """Sign the guest in and lead to the console."""
            if (
                not compare_digest(code.encode(), self._code.encode())
                or cookie_of(request) != LOOPBACK_COOKIE
            ):
                raise NotFound(path="/demonstration")
            async with muster(request).pool.connection() as conn:
                opened = await open_session(
                    conn, self._account, method="enrolment", second=True,
                    agent=asking.agent(request), at=now(),
                )  # fmt: skip
            cookie = asking.made_cookie(
                request, LOOPBACK_COOKIE, opened.token, SESSION_HOURS * 3600
            )
            return Redirect("/console/", cookies=[cookie])

        return show_demonstration
