"""What is asked about teams and aid by the tests of rights; see rights_table."""

from tests.rights_laboratory import Ask

_TIMES = {"starts_at": "2199-08-02T06:00:00+08:00", "ends_at": "2199-08-02T12:00:00+08:00"}
_WAVE = {
    "number": 2, "leaves_at": "2199-08-02T06:00:00+08:00", "arrives_by": "2199-08-02T12:00:00+08:00", "count": 9,
}  # fmt: skip
_PEOPLE = {"staff": ["{st{x}}"]}


def _team(code: str, area: str = "STREET-{x}") -> dict[str, str]:
    return {"code": code, "name": "N", "kind": "squad", "area": area}


TEAMS: dict[str, list[Ask]] = {
    "GET /v1/teams": [
        Ask("/v1/teams", code="TEAM-{x}"),
        Ask("/v1/teams", {"area": "STREET-{x}"}, scope="area", code="TEAM-{x}"),
    ],
    "POST /v1/teams": [
        Ask("/v1/teams", body=_team("N{who}{x}"), scope="area"),
        Ask("/v1/teams", body=_team("N{who}", "CITY"), scope="everywhere"),
    ],
    "POST /v1/team-groups": [
        Ask("/v1/team-groups", body={"team": _team("G{x}"), "count": 1, "unit": "UNIT-{x}", "dry": True},
            scope="area"),
    ],
    "GET /v1/teams/{team:str}": [Ask("/v1/teams/{tm{x}}", scope="area", code="TEAM-{x}")],
    "GET /v1/teams/{team:str}/members": [
        Ask("/v1/teams/{tm{x}}/members", scope="area", person="{st{x}}"),
        Ask("/v1/teams/{tm{x}}/members", {"reason": "call_back"}, scope="area", person="{n}庄霜十",
            needs="unmask", whole=True),
    ],
    "POST /v1/teams/{team:uuid}/change": [
        Ask("/v1/teams/{tm{x}}/change",
            body=_team("TEAM-{x}") | {"aid": "AID-{x}", "wave": "{wv{x}}", "marking": "red"}, scope="area"),
    ],
    "POST /v1/teams/{team:uuid}/dissolve": [Ask("/v1/teams/{te{x}}/dissolve", scope="area")],
    "POST /v1/teams/{team:uuid}/join": [Ask("/v1/teams/{tm{x}}/join", body=_PEOPLE, scope="area")],
    "POST /v1/teams/{team:uuid}/let-go": [Ask("/v1/teams/{te{x}}/let-go", body=_PEOPLE, scope="area")],
    "GET /v1/aid": [Ask("/v1/aid", code="AID-{x}")],
    "POST /v1/aid": [
        Ask("/v1/aid", body={"name": "N", "sender": "E", "host": "STREET-{x}", "kind": "medics", **_TIMES},
            scope="area"),
    ],
    "GET /v1/aid/{aid:str}": [Ask("/v1/aid/{ai{x}}", scope="area", code="AID-{x}")],
    "POST /v1/aid/{aid:uuid}/waves": [Ask("/v1/aid/{ai{x}}/waves", body=_WAVE, scope="area")],
    "POST /v1/waves/{wave:uuid}/arrival": [
        Ask("/v1/waves/{wv{x}}/arrival", body={"count": 1}, scope="area")
    ],
    "POST /v1/duty-carried": [
        Ask("/v1/duty-carried", body=_PEOPLE | {"days": 3, "on": "2022-07-31"}, scope="area")
    ],
    "POST /v1/lodgings": [Ask("/v1/lodgings", body=_PEOPLE | {"at_home": True}, scope="area")],
    "POST /v1/aid/{aid:uuid}/assign": [
        Ask("/v1/aid/{ai{x}}/assign", body={"role": "caller", "dry": True, **_TIMES}, scope="area",
            answer="nowhere-to-assign")
    ],
    "GET /v1/aid/{aid:str}/posts": [Ask("/v1/aid/{ai{x}}/posts", scope="area", person="{st{x}}")],
    "POST /v1/aid/{aid:uuid}/release": [
        Ask("/v1/aid/{ai{x}}/release", body={"wave": "{tm{x}}"}, scope="area", answer="wave-unknown")
    ],
    "POST /v1/aid/{aid:uuid}/accounts": [
        Ask("/v1/aid/{tm{x}}/accounts", body={"role": "sampler"}, answer="aid-unknown")
    ],
    "GET /v1/print/badges": [
        Ask("/v1/print/badges", {"team": "TEAM-{x}"}, scope="area"),
        Ask("/v1/print/badges", {"team": "TEAM-{x}", "reason": "call_back"}, scope="area", needs="unmask"),
    ],
    "GET /v1/badges/{text:str}": [Ask("/v1/badges/none", answer="badge-unknown")],
    "GET /v1/print/teams": [Ask("/v1/print/teams", {"team": "TEAM-{x}"}, scope="area")],
    "GET /v1/print/roster": [
        Ask("/v1/print/roster", {"area": "STREET-{x}", "day": "2022-08-01"}, scope="area"),
        Ask("/v1/print/roster", {"area": "CITY"}, scope="everywhere"),
    ],
    "GET /v1/print/certificates": [
        Ask("/v1/print/certificates", {"aid": "AID-{x}"}, scope="area"),
        Ask("/v1/print/certificates", {"team": "TEAM-{x}"}, scope="area"),
    ],
    "GET /v1/print/post": [Ask("/v1/print/post", {"area": "STREET-{x}"}, scope="area")],
}  # fmt: skip
