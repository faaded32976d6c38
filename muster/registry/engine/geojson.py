"""Positions from GeoJSON (RFC 7946): points and outlines in longitude and latitude, WGS 84. What is in
another system, or no geometry at all, is named, feature by feature.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CODES = ("code", "编码", "代码", "id_code", "adcode", "编号")
NAMES = ("name", "名称", "NAME", "Name")
KINDS = ("kind", "类型")
CRS84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326",
         "urn:ogc:def:crs:EPSG::4326")  # fmt: skip
Fault = Literal["no_geometry", "bad_geometry", "wrong_crs", "too_large", "no_name"]
Ring = tuple[int, ...]


class NotGeoJson(ValueError):
    """The document is no FeatureCollection in longitude and latitude; says why."""


@dataclass(frozen=True)
class Position:
    """Where something lies, in millionths of a degree. Rings are longitude, latitude, longitude …"""

    lon_micro: int
    lat_micro: int
    outline: tuple[Ring, ...] = ()


@dataclass(frozen=True)
class Feature:
    """One feature of the file, counted from 1: what it calls itself, and where it is or what is wrong."""

    number: int
    code: str
    name: str
    site: bool
    position: Position | None = None
    fault: Fault | None = None


def features(document: Any, *, most_numbers: int) -> Iterator[Feature]:
    """The features of a document, a ring of which may have `most_numbers`. Raises NotGeoJson."""
    if not isinstance(document, Mapping) or document.get("type") != "FeatureCollection":
        raise NotGeoJson("type is not FeatureCollection")
    crs = document.get("crs")
    if crs is not None:
        name = crs.get("properties", {}).get("name") if isinstance(crs, Mapping) else None
        if name not in CRS84:
            raise NotGeoJson(f"crs {name}")
    listed = document.get("features")
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise NotGeoJson("features is no list")
    for number, one in enumerate(listed, 1):
        yield _feature(number, one if isinstance(one, Mapping) else {}, most_numbers)


def _feature(number: int, one: Mapping[str, Any], most: int) -> Feature:
    said = one.get("properties")
    said = said if isinstance(said, Mapping) else {}
    code, name, kind = (_first(said, names) for names in (CODES, NAMES, KINDS))
    feature = Feature(number, code, name, kind in ("site", "采样点"))
    found = _position(one.get("geometry"), most)
    if isinstance(found, str):
        return Feature(number, code, name, feature.site, fault=found)
    if not (code or name):
        return Feature(number, code, name, feature.site, fault="no_name")
    return Feature(number, code, name, feature.site, position=found)


def _first(said: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        if said.get(name) not in (None, ""):
            return str(said[name]).strip()
    return ""


def _position(geometry: Any, most: int) -> Position | Fault:
    if not isinstance(geometry, Mapping) or not geometry.get("coordinates"):
        return "no_geometry"
    kind, at = geometry.get("type"), geometry["coordinates"]
    try:
        match kind:
            case "Point":
                lon, lat = _micro(at)
                return Position(lon, lat)
            case "Polygon":
                polygons = [at]
            case "MultiPolygon":
                polygons = at
            case _:
                return "bad_geometry"
        rings = [_ring(ring) for polygon in polygons for ring in polygon]
        largest = max((_ring(polygon[0]) for polygon in polygons), key=lambda r: abs(_area(r)))
    except _OffTheEarth:
        return "wrong_crs"
    except (TypeError, ValueError, IndexError, KeyError):
        return "bad_geometry"
    if len(rings) > 200 or any(len(ring) > most for ring in rings):
        return "too_large"
    lon, lat = _middle(largest)
    return Position(lon, lat, tuple(rings))


class _OffTheEarth(Exception):
    pass


def _micro(point: Any) -> tuple[int, int]:
    lon, lat = float(point[0]), float(point[1])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # also where it is not a number
        raise _OffTheEarth
    return round(lon * 1e6), round(lat * 1e6)


def _ring(points: Any) -> Ring:
    """A ring without its repeated last point. Raises ValueError for what encloses nothing."""
    corners = [_micro(one) for one in points]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    ring = tuple(value for corner in corners for value in corner)
    if len(corners) < 3 or _area(ring) == 0:
        raise ValueError("no area")
    return ring


def _corners(ring: Ring) -> Iterator[tuple[int, int, int, int]]:
    """Each side of the ring: from, to."""
    for n in range(0, len(ring), 2):
        after = (n + 2) % len(ring)
        yield ring[n], ring[n + 1], ring[after], ring[after + 1]


def _area(ring: Ring) -> int:
    return sum(x * v - u * y for x, y, u, v in _corners(ring))


def _middle(ring: Ring) -> tuple[int, int]:
    """The centre of gravity (shoelace formula)."""
    double = _area(ring)
    lon = sum((x + u) * (x * v - u * y) for x, y, u, v in _corners(ring))
    lat = sum((y + v) * (x * v - u * y) for x, y, u, v in _corners(ring))
    return round(lon / (3 * double)), round(lat / (3 * double))
