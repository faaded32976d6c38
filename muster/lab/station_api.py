"""The scanning station: one page for the laboratory's reception and bench, worked without a mouse; and
the few questions it asks beside those of every other client.
"""

from importlib import resources
from typing import Any

from litestar import MediaType, Response, get
from litestar.params import FromPath

from muster.core.clock import now
from muster.core.rows import row, rows
from muster.guarding import check_lab, principal, reading
from muster.lab import queries
from muster.lab.loading import PlateInUse, TubesNotReceived
from muster.lab.receiving import checked
from muster.web import Ask, NotFound

_HERE = "muster.lab"
_KINDS = {
    "station.css": "text/css", "station.js": "text/javascript",
    "station_words.js": "text/javascript", "station_frame.js": "text/javascript",
    "station_receiving.js": "text/javascript", "station_plate.js": "text/javascript",
    "station_signing.js": "text/javascript",
}  # fmt: skip
_MODES = ("reception", "plates", "samples", "release")  # the rights its four modes need


@get("/station", right="public", media_type=MediaType.HTML, sync_to_thread=False)
def show_station() -> Response[bytes]:
    """The page; everything it does needs a session."""
    return _file("station.html", "text/html")


@get("/station/{name:str}", right="public", sync_to_thread=False)
def show_station_file(name: FromPath[str]) -> Response[bytes]:
    """What the page does and how it looks."""
    if name not in _KINDS:
        raise NotFound(path=f"/station/{name[:80]}")
    return _file(name, _KINDS[name])


@get("/v1/station", right="labs")
async def show_benches(request: Ask) -> list[dict[str, Any]]:
    """The laboratories in which the caller may work at a station, and by which rights."""
    who = principal(request)
    within = {right: who.scope(right).labs for right in _MODES}
    everywhere = {right for right in _MODES if who.reaches(right, ())}
    async with reading(request) as conn:
        known = await queries.labs(conn)
    found = []
    for one in known:
        may = [right for right in _MODES if right in everywhere or one["lab"] in within[right]]
        if may:
            found.append({"lab": one["lab"], "name": one["name"], "may": may})
    return found


@get("/v1/labs/{lab:str}/samples/{barcode:str}", right="samples")
async def look_at_sample(
    request: Ask, lab: FromPath[str], barcode: FromPath[str]
) -> dict[str, Any]:
    """What the laboratory knows of one tube it received, and what is to be done with it next."""
    check_lab(request, lab)
    async with reading(request) as conn:
        code = await checked(conn, barcode, "tube", now())
        found = await row(conn, _HERE, "samples_of", lab=lab, barcodes=[code])
    if found is None or found["tube"] is None:
        raise TubesNotReceived(lab=lab, count=1, barcodes=code)
    return {name: found[name] for name in _SHOWN}


_SHOWN = ("barcode", "next", "condition", "plate_code", "well", "assay", "standing", "outcome")


@get("/v1/labs/{lab:str}/free-plates/{code:str}", right="plates")
async def look_at_plate(request: Ask, lab: FromPath[str], code: FromPath[str]) -> dict[str, str]:
    """That a label is one of a plate which may be loaded; the problem where it is not."""
    check_lab(request, lab)
    async with reading(request) as conn:
        plate = await checked(conn, code, "plate", now())
        taken = await row(conn, _HERE, "plate_by_code", lab=lab, code=plate)
    if taken:
        raise PlateInUse(code=plate, loaded_at=taken["loaded_at"].isoformat(timespec="minutes"))
    return {"code": plate}


@get("/v1/labs/{lab:str}/open-counts", right="samples")
async def count_open(request: Ask, lab: FromPath[str]) -> list[dict[str, Any]]:
    """How many tubes wait for what: the open list in figures."""
    check_lab(request, lab)
    async with reading(request) as conn:
        return await rows(conn, _HERE, "station.sql:open_counts", lab=lab)


@get("/v1/labs/{lab:str}/to-sign", right="release")
async def list_to_sign(request: Ask, lab: FromPath[str]) -> list[dict[str, Any]]:
    """What takes two signatures, the first 200: what waits for a second one, then what waits for a first;
    with every reading behind it."""
    check_lab(request, lab)
    async with reading(request) as conn:
        return await rows(conn, _HERE, "station.sql:to_sign", lab=lab)


def _file(name: str, kind: str) -> Response[bytes]:
    content = resources.files(_HERE).joinpath(name).read_bytes()
    # Asked for again each time: a station that stays open for weeks meets the server it speaks to.
    headers = {"cache-control": "no-cache", "referrer-policy": "no-referrer"}
    return Response(content, media_type=kind, headers=headers)  # the charset is added to texts


HANDLERS = [
    show_station, show_station_file, show_benches, look_at_sample, look_at_plate, count_open,
    list_to_sign,
]  # fmt: skip
