"""What is asked at each route of the desk by the tests of rights (see rights_table.py)."""

from tests.rights_laboratory import Ask

NOBODY = "00000000-0000-7000-8000-000000000000"
DESK: dict[str, list[Ask]] = {
    "GET /v1/tubes": [
        Ask("/v1/tubes", code="TUBE-{x}1", code_for="everywhere area site lab"),
        Ask("/v1/tubes", {"q": "TUBE-{x}", "format": "csv"}, code="TUBE-{x}2",
            code_for="everywhere area site lab"),
    ],
    "GET /v1/search": [Ask("/v1/search", {"q": "STREET-{x}"}, places=True)],
    "POST /v1/people/by-phone": [
        Ask("/v1/people/by-phone", body={"phone": "13800001111"}, person="{pA1}"),
    ],
    "GET /v1/work": [Ask("/v1/work"), Ask("/v1/work", {"kind": "cases", "most": "500"})],
    "GET /v1/sites/{site:str}": [
        Ask("/v1/sites/SITE-{x}", scope="area", code="BOX-{x}", places=True)
    ],
    "GET /v1/labs/{lab:str}": [Ask("/v1/labs/LAB-{x}", scope="lab", code="LAB-{x}")],
    "GET /v1/people/{person:uuid}/story": [
        Ask("/v1/people/{p{x}1}/story", scope="area", code="TUBE-{x}1")
    ],
    "GET /v1/people/{person:uuid}/why": [
        Ask("/v1/people/{p{x}5}/why", {"round": "ROUND-{x}"}, scope="area", person="{p{x}5}"),
        Ask("/v1/people/{p{x}5}/why", {"reason": "call_back"}, scope="area",
            person="{n}庄霜五", needs="unmask", whole=True),
    ],
    "GET /v1/people/{person:uuid}/history": [
        Ask("/v1/people/{p{x}1}/history", scope="area", code="R-{x}-1")
    ],
    "GET /v1/history/{subject:uuid}": [Ask("/v1/history/{S{x}}", code="STREET-{x}", places=True)],
    "GET /v1/history/policies": [Ask("/v1/history/policies")],
    "GET /v1/devices/board": [
        Ask("/v1/devices/board", {"q": "spare-{x}"}, code="spare-{x}", code_for="everywhere",
            places=True)
    ],
    "GET /v1/devices/{device:str}": [Ask("/v1/devices/spare-{x}", scope="area", code="spare-{x}")],
    "GET /v1/recalls/tubes": [Ask("/v1/recalls/tubes", code="TUBE-{x}1")],
    "POST /v1/recalls/{recall:uuid}/contact": [
        Ask(f"/v1/recalls/{NOBODY}/contact", body={"how": "phone"}, answer="no-such-recall")
    ],
    "POST /v1/history/{event:uuid}/undo": [
        Ask(f"/v1/history/{NOBODY}/undo", answer="cannot-be-taken-back")
    ],
    "POST /v1/areas/{area:str}/change": [
        Ask("/v1/areas/STREET-{x}/change", body={"name": "STREET-{x}"}, scope="area")
    ],
    "POST /v1/areas/{area:str}/denominators": [
        Ask("/v1/areas/STREET-{x}/denominators", scope="area",
            body={"people": 5, "source": "register", "on": "2022-08-01"}),
    ],
    "POST /v1/sites": [
        Ask("/v1/sites", body={"code": "SITE-{x}", "name": "SITE-{x}", "area": "STREET-{x}"},
            scope="area"),
    ],
    "POST /v1/units": [
        Ask("/v1/units", scope="area", body={
            "code": "UNIT-{x}", "name": "UNIT-{x}", "area": "STREET-{x}", "kind": "shop"}),
    ],
}  # fmt: skip
