"""HTTP for the photos of a site's check."""

from typing import Annotated

from litestar import Response, get, put
from litestar.params import FromPath, Parameter

from muster.config import SITE_PHOTO_LIMIT_BYTES
from muster.core.clock import now
from muster.guarding import check_reach, principal
from muster.sampling.photos import PhotoUnfit, PhotoUnknown, keep_photo, photo, place_of
from muster.web import Ask, BytesOperation, muster

Hash = Annotated[str, Parameter(pattern="^[0-9a-f]{64}$", description="SHA-256 of the bytes")]


@put("/v1/site-photos/{hash:str}", status_code=204, right="events", operation_class=BytesOperation)
async def send_photo(request: Ask, hash: FromPath[Hash]) -> None:
    """Keep a photo that a check of a site names. Sent again it changes nothing; before its check has arrived
    it is not taken."""
    if int(request.headers.get("content-length") or 0) > SITE_PHOTO_LIMIT_BYTES:
        raise PhotoUnfit(limit_bytes=SITE_PHOTO_LIMIT_BYTES, hash=hash)
    here, who, content = muster(request), principal(request), await request.body()
    async with here.pool.connection() as conn:
        await keep_photo(conn, here, hash, content, by=who.device_code or who.login, at=now())


@get("/v1/site-photos/{hash:str}", right="site_photos", media_type="image/jpeg")
async def show_photo(request: Ask, hash: FromPath[Hash]) -> Response[bytes]:
    """A photo of a site's check, for who answers for the site's area."""
    here = muster(request)
    async with here.pool.connection() as conn:
        area = await place_of(conn, hash)
        if area is None:
            raise PhotoUnknown(hash=hash)
        await check_reach(request, conn, [area])
        content = await photo(conn, here, hash)
    if content is None:
        raise PhotoUnknown(hash=hash)
    return Response(
        content, media_type="image/jpeg", headers={"cache-control": "private, no-store"}
    )


HANDLERS = [send_photo, show_photo]
