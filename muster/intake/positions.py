"""Positions of areas and sites from a GeoJSON file: each feature is matched by code, else by a name
that only one bears; what cannot be used is named, and nothing else is lost by it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.config import GEOJSON_FEATURES_LIMIT, IMPORT_CHUNK_ROWS, OUTLINE_NUMBERS_LIMIT
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import rows
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.engine.geojson import Feature, NotGeoJson, features
from muster.registry.events import AreaPlaced
from muster.sampling.events import SitePlaced


class NotAGeoJsonFile(Problem):
    """This is no GeoJSON file of longitudes and latitudes in WGS 84 ({reason}). In your map program,
    export it as GeoJSON (RFC 7946) with the coordinate system EPSG:4326."""

    zh = "不是 WGS 84 经纬度的 GeoJSON 文件（{reason}）。请在制图软件中以 GeoJSON（EPSG:4326）格式重新导出。"
    status = 422


class NoGeometry(Problem):
    """The feature has no geometry."""

    zh = "该要素没有几何图形。"


class BadGeometry(Problem):
    """The geometry is no point and no polygon that encloses something."""

    zh = "几何图形既不是点，也不是有效的面。"


class WrongCrs(Problem):
    """The coordinates are no longitudes and latitudes in degrees: export the file in EPSG:4326."""

    zh = "坐标不是以度为单位的经纬度，请以 EPSG:4326 重新导出。"


class TooLarge(Problem):
    """The outline has too many corners: simplify it in your map program to {corners} a ring."""

    zh = "边界顶点过多，请在制图软件中简化到每环 {corners} 个以内。"


class NoName(Problem):
    """The feature has neither a code nor a name."""

    zh = "该要素既没有编码也没有名称。"


class NotMatched(Problem):
    """No area or site has the code or name of this feature."""

    zh = "没有与该要素编码或名称相符的区域或采样点。"


class MatchedSeveral(Problem):
    """Several areas have this name: give the feature the area's code."""

    zh = "有多个区域同名，请在要素中注明区域编码。"


class OutsideWhatYouMayPlace(Problem):
    """The area or site lies outside the area you are responsible for."""

    zh = "该区域或采样点不在你负责的区域内。"


_FAULTS: dict[str, type[Problem]] = {
    "no_geometry": NoGeometry, "bad_geometry": BadGeometry, "wrong_crs": WrongCrs,
    "too_large": TooLarge, "no_name": NoName,
}  # fmt: skip


class Unplaced(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that was not used, and why."""

    feature: int
    code: str
    name: str
    reason: str
    why: str


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: areas and sites that were given a position, and what was not used."""

    areas: int
    sites: int
    unplaced: list[Unplaced]


def decoded(content: bytes) -> Any:
    """The document of a file. Raises NotAGeoJsonFile."""
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAGeoJsonFile(reason=type(error).__name__) from error


def parse(document: Any) -> list[Feature]:
    """The features of a document. Raises NotAGeoJsonFile."""
    try:
        found = list(features(document, most_numbers=OUTLINE_NUMBERS_LIMIT))
    except NotGeoJson as error:
        raise NotAGeoJsonFile(reason=error) from error
    if len(found) > GEOJSON_FEATURES_LIMIT:
        raise NotAGeoJsonFile(reason=f"> {GEOJSON_FEATURES_LIMIT} features")
    return found


async def place(
    door: Door, conn: psycopg.AsyncConnection[Any], found: Sequence[Feature], *, source: str,
    generated: bool, within: Sequence[UUID] | None, actor: str, at: datetime, language: str,
) -> Placed:  # fmt: skip
    """Record the positions of a file's features, of what lies under the areas `within` (None: of
    everything)."""
    bodies: list[tuple[UUID, Body]] = []
    unplaced: list[Unplaced] = []
    known = _by_name(await _known(conn, found, within))
    for one in found:
        problem, target = _target(one, known)
        if problem or not one.position or not target:
            problem = problem or NotMatched()
            unplaced.append(Unplaced(
                feature=one.number, code=one.code, name=one.name, reason=problem.slug,
                why=problem.message(language),
            ))  # fmt: skip
            continue
        where: dict[str, Any] = {
            "lon_micro": one.position.lon_micro, "lat_micro": one.position.lat_micro,
            "source": source, "generated": generated,
        }  # fmt: skip
        body = (
            SitePlaced(**where) if target["site"]
            else AreaPlaced(**where, outline=one.position.outline)
        )  # fmt: skip
        bodies.append((target["id"], body))
    for n in range(0, len(bodies), IMPORT_CHUNK_ROWS):
        await door.append([
            Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
            for subject, body in bodies[n : n + IMPORT_CHUNK_ROWS]
        ])  # fmt: skip
    sites = sum(isinstance(body, SitePlaced) for _, body in bodies)
    return Placed(areas=len(bodies) - sites, sites=sites, unplaced=unplaced)


async def _known(
    conn: psycopg.AsyncConnection[Any], found: Sequence[Feature], within: Sequence[UUID] | None
) -> list[dict[str, Any]]:
    """Everything that bears a code or a name of the file."""
    return await rows(
        conn, "muster.intake", "places", codes=sorted({one.code for one in found if one.code}),
        names=sorted({one.name for one in found if one.name}), everywhere=within is None,
        areas=list(within or ()),
    )  # fmt: skip


def _by_name(known: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in known:
        for column in ("code", "name"):
            found.setdefault((column, row[column]), []).append(row)
    return found


def _target(
    one: Feature, known: dict[tuple[str, str], list[dict[str, Any]]]
) -> tuple[Problem | None, dict[str, Any] | None]:
    if one.fault:
        return _FAULTS[one.fault](corners=OUTLINE_NUMBERS_LIMIT // 2), None
    for column in ("code", "name"):
        fits = known.get((column, getattr(one, column)), [])
        if one.site or (one.position and not one.position.outline):
            fits = [row for row in fits if row["site"]] or fits  # a site may bear an area's name
        if one.position and one.position.outline:
            fits = [row for row in fits if not row["site"]]
        if len(fits) > 1:
            return MatchedSeveral(), None
        if fits:
            return (None if fits[0]["within"] else OutsideWhatYouMayPlace()), fits[0]
    return NotMatched(), None
