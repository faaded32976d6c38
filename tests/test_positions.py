"""Positions from GeoJSON: matched by code or name, what cannot be used is named; the map shows the rest."""

from math import cos, sin
from typing import Any

import httpx
import msgspec
import pytest

from muster.catalogue import CATALOGUE
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.registry.engine.geojson import NotGeoJson, features
from tests.conftest import Play
from tests.senders import query, visit
from tests.table import TOWN, events

SQUARE = [[121.0, 37.0], [121.2, 37.0], [121.2, 37.2], [121.0, 37.2], [121.0, 37.0]]


def feature(geometry: Any, **said: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": said, "geometry": geometry}


def point(lon: Any, lat: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def collection(*listed: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": listed, **more}


POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}
FILE = collection(
    feature(POLYGON, code="G2"),
    feature({"type": "MultiPolygon", "coordinates": [[SQUARE]]}, name="S1", code="unknown"),
    feature(point(121.05, 37.05), 编码="H1"),
    feature(point(121.06, 37.06), code="X1", kind="site"),
    feature(point(121.0, 37.0), code="nothing"),
    feature(point(13_470_000.5, 4_500_000.1), code="H2"),
    feature(None, code="H3"),
    feature({"type": "Polygon", "coordinates": [[[121, 37], [121.1, 37], [121, 37]]]}, code="H3"),
    feature({"type": "LineString", "coordinates": SQUARE}, code="H3"),
    feature(point(121.0, 37.0)),
    feature(point(121.0, 37.0), name="twice"),
    "no feature",
)
UNUSED = {
    5: "not-matched", 6: "wrong-crs", 7: "no-geometry", 8: "bad-geometry", 9: "bad-geometry",
    10: "no-name", 11: "matched-several", 12: "no-geometry",
}  # fmt: skip
PLACE = f"""{TOWN.strip()}
    07:00  SiteListed  X1  area=G1
    07:00  AreaListed  N1  level=community name=twice parent=S1
    07:00  AreaListed  N2  level=community name=twice parent=S1
    08:10  TubeSealed  T1  members=p1,p2 round=R1 site=X1
"""


def test_a_file_of_positions(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(PLACE))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        bare = (await http.get("/v1/map", params={"round": "R1", "area": "S1"})).json()
        assert (bare["placed"], bare["generated"]) == (False, False)
        assert [(one["code"], one["expected"], one["missing"]) for one in bare["pieces"]] == [
            ("S1", 5, 3), ("G1", 3, 1), ("H1", 2, 0), ("H2", 1, 1), ("G2", 2, 2), ("H3", 2, 2),
            ("N1", 0, 0), ("N2", 0, 0),
        ]  # fmt: skip
        answer = await http.post(
            "/v1/positions", params={"source": "survey", "generated": "true"}, json=FILE
        )
        placed = answer.json()
        assert (placed["areas"], placed["sites"]) == (3, 1), answer.text
        assert {one["feature"]: one["reason"] for one in placed["unplaced"]} == UNUSED
        shown = (await http.get("/v1/map", params={"round": "R1", "area": "S1"})).json()
        assert (shown["placed"], shown["generated"]) == (True, True)
        pieces = {one["code"]: one for one in shown["pieces"]}
        assert (pieces["S1"]["lon_micro"], pieces["S1"]["lat_micro"]) == (121_100_000, 37_100_000)
        assert len(pieces["G2"]["outline"][0]) == 8
        assert pieces["H2"]["lon_micro"] is None
        assert [one["lon_micro"] for one in shown["sites"]] == [121_060_000]
        again = await http.post(
            "/v1/positions", params={"source": "survey"}, json=collection(FILE["features"][2])
        )
        assert again.json()["areas"] == 1
        assert await query(muster, "SELECT count(*) FROM registry.place WHERE NOT generated") == [1]

    visit(play, story)


@pytest.mark.parametrize(
    "file",
    [
        {"type": "Feature"},
        [],
        collection(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}),
        {"type": "FeatureCollection", "features": "none"},
    ],
)
def test_what_is_no_such_file_is_refused(file: Any):
    with pytest.raises(NotGeoJson):
        list(features(file, most_numbers=100))


def test_a_file_in_another_system_is_refused_with_the_remedy(play: Play):
    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        crs = {"type": "name", "properties": {"name": "EPSG:3857"}}
        answer = await http.post("/v1/positions", params={"source": "s"}, json=collection(crs=crs))
        assert answer.json()["type"].endswith(":not-a-geo-json-file")
        assert "EPSG:4326" in answer.json()["detail"]

    visit(play, story)


def test_an_outline_of_too_many_corners_is_named():
    ring = [[100 + sin(n / 50), 30 + cos(n / 50)] for n in range(300)]
    file = collection(feature({"type": "Polygon", "coordinates": [ring]}, code="S1"))
    (found,) = features(msgspec.json.decode(msgspec.json.encode(file)), most_numbers=100)
    assert found.fault == "too_large"
