"""What is asked at the routes of the overview, the map and briefings by the tests of rights; see
rights_table."""

from tests.rights_laboratory import Ask

_HERE = {"round": "ROUND-{x}", "area": "STREET-{x}"}
_CITY = {"round": "ROUND-CITY", "area": "CITY"}
_AREA = {"area": "STREET-{x}", "figure": "sampled"}
_TABLE = "区域,采样\n甲,1"
CONSOLE: dict[str, list[Ask]] = {
    "GET /v1/overview": [
        Ask("/v1/overview", _HERE, scope="area", code="STREET-{x}"),
        Ask("/v1/overview", _CITY, scope="everywhere"),
        Ask("/v1/overview", {"round": "ROUND-CLOSED", "area": "STREET-{x}"}, scope="area"),
    ],
    "GET /v1/live": [
        Ask("/v1/live", {**_HERE, "once": "true"}, scope="area", code="STREET-{x}"),
        Ask("/v1/live", {**_CITY, "once": "true"}, scope="everywhere"),
    ],
    "GET /v1/overview/sites": [
        Ask("/v1/overview/sites", _HERE, scope="area", code="SITE-{x}"),
        Ask("/v1/overview/sites", _CITY, scope="everywhere"),
    ],
    "GET /v1/map": [
        Ask("/v1/map", _HERE, scope="area", code="STREET-{x}"),
        Ask("/v1/map", _CITY, scope="everywhere"),
    ],
    "GET /v1/rounds/{round:str}/persons": [
        Ask("/v1/rounds/ROUND-{x}/persons", _AREA, scope="area", person="{p{x}1}"),
        Ask("/v1/rounds/ROUND-{x}/persons", {**_AREA, "figure": "recalled"}, scope="area"),
        Ask("/v1/rounds/ROUND-{x}/persons", {**_AREA, "figure": "refused"}, scope="area"),
        Ask("/v1/rounds/ROUND-{x}/persons", {**_AREA, "reason": "call_back"}, scope="area",
            needs="unmask", whole=True),
        Ask("/v1/rounds/ROUND-CITY/persons", {"area": "CITY", "figure": "sampled"},
            scope="everywhere"),
    ],
    "GET /v1/rounds/{round:str}/tubes": [
        Ask("/v1/rounds/ROUND-{x}/tubes", {"area": "STREET-{x}", "figure": "sealed"}, scope="area"),
        Ask("/v1/rounds/ROUND-CITY/tubes", {"area": "CITY", "figure": "sealed"},
            scope="everywhere"),
    ],
    "GET /v1/briefings": [Ask("/v1/briefings")],
    "POST /v1/briefings": [
        Ask("/v1/briefings", body={"as_of": "2022-08-01T14:00:00+08:00", "source": "s",
                                   "table": _TABLE, "check": True}, scope="everywhere"),
        Ask("/v1/briefings", body={"as_of": "2022-08-01T14:00:00+08:00", "source": "s",
                                   "table": _TABLE}, scope="everywhere"),
    ],
    "POST /v1/positions": [
        Ask("/v1/positions", {"source": "s"}, body={"type": "FeatureCollection", "features": []}),
    ],
}  # fmt: skip
