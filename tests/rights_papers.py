"""The part of tests/rights_table.py about reports, labels and what is printed."""

from muster.registry.engine.personal_code import code_of
from tests.rights_laboratory import Ask
from tests.table import named

NOTHING = "00000000-0000-7000-8000-000000000001"
CODES = f"{code_of(named('pA1'))}+{code_of(named('pB1'))}"
PAPERS: dict[str, list[Ask]] = {
    # Reports and papers.
    "GET /v1/report-preview": [
        Ask("/v1/report-preview", {"kind": "daily", "area": "STREET-{x}", "round": "ROUND-{x}"},
            scope="area", code="STREET-{x}"),
        Ask("/v1/report-preview", {"kind": "press", "area": "CITY", "round": "ROUND-CITY"},
            scope="everywhere"),
    ],
    "GET /v1/reports": [Ask("/v1/reports")],
    "GET /v1/reports/{report:uuid}": [Ask(f"/v1/reports/{NOTHING}", answer="report-unknown")],
    "GET /v1/reports/{report:uuid}/file": [
        Ask(f"/v1/reports/{NOTHING}/file", answer="report-unknown")
    ],
    "GET /v1/labels": [Ask("/v1/labels"), Ask("/v1/labels", {"site": "SITE-{x}"})],
    "GET /v1/labels/{labels:uuid}/file": [
        Ask(f"/v1/labels/{NOTHING}/file", answer="labels-unknown")
    ],
    "GET /v1/print/homes": [Ask("/v1/print/homes", {"area": "STREET-{x}"}, scope="area")],
    "GET /v1/print/codes": [
        Ask("/v1/print/codes", {"area": "HOUSE-{x}"}, scope="area"),
        Ask("/v1/print/codes", {"area": "HOUSE-{x}", "reason": "door_to_door"}, scope="area",
            needs="unmask"),
    ],
    "GET /v1/print/missing": [
        Ask("/v1/print/missing", {"area": "HOUSE-{x}", "round": "ROUND-{x}"}, scope="area"),
    ],
    "GET /v1/personal-codes/{text:str}": [
        Ask(f"/v1/personal-codes/{CODES}", person="{p{x}1}"),
        Ask(f"/v1/personal-codes/{CODES}", {"reason": "tracing"}, person="{n}庄霜一", needs="unmask",
            whole=True),
    ],
    "GET /v1/print/posters": [Ask("/v1/print/posters", {"site": "SITE-{x}"}, places=True)],
    "GET /v1/print/forms": [
        Ask("/v1/print/forms"),
        Ask("/v1/print/forms", {"kind": "household", "site": "SITE-{x}"}, places=True),
    ],
    "GET /v1/print/guide": [Ask("/v1/print/guide")],
    "GET /v1/print/templates": [Ask("/v1/print/templates")],
    "GET /v1/print/templates/{name:str}": [Ask("/v1/print/templates/poster")],
    "POST /v1/reports": [
        Ask("/v1/reports", body={"kind": "press", "area": "STREET-{x}", "round": "ROUND-{x}"},
            scope="area"),
    ],
    "POST /v1/reports/{report:uuid}/sign": [
        Ask(f"/v1/reports/{NOTHING}/sign", body={}, answer="report-unknown")
    ],
    "POST /v1/reports/{report:uuid}/reproduce": [
        Ask(f"/v1/reports/{NOTHING}/reproduce", answer="report-unknown")
    ],
    "POST /v1/labels": [
        Ask("/v1/labels", body={"format": NOTHING, "site": "SITE-{x}", "count": 1}, scope="area",
            answer="format-unknown"),
    ],
    "POST /v1/labels/{labels:uuid}/take-back": [
        Ask(f"/v1/labels/{NOTHING}/take-back", body={"reason": "mistake"}, answer="labels-unknown")
    ],
}  # fmt: skip
