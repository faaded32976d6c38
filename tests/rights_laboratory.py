"""What is asked at the routes of laboratories by the tests of rights; see rights_table."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from muster.lab.engine.assay import usual as usual_assay
from muster.lab.engine.plates import usual


@dataclass(frozen=True)
class Ask:
    """One request of the table. {x}: the street; {who}: the caller; {…} else: an id of that name.

    `scope`: whether street B lies outside that of whoever works in A: of an "area", a "lab", for
    those who hold it
    "everywhere" only, of a "case" of an area's box; "" where nothing is asked of a place. `person`, `code`: what
    an answer shows of a street to who may see people there, and to anybody who may ask; `code_for`:
    the places (of `Caller`) to which it does. `places`: lists the catalogue of the whole city.
    `needs`: another right beside the route's. `whole`: names and numbers are shown unmasked, to who
    may see names there. `never`: what is never shown. `answer`: the problem that comes although all
    is allowed. `once`: asked by nobody only, for the sake of what counts attempts."""

    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    scope: str = ""
    person: str = ""
    code: str = ""
    code_for: str = "everywhere area site lab person"
    places: bool = False
    needs: str = ""
    whole: bool = False
    never: str = ""
    answer: str = ""
    once: bool = False


LABORATORY: dict[str, list[Ask]] = {
    # Laboratories: their boxes, plates, files and results.
    "GET /v1/labs": [Ask("/v1/labs", code="LAB-{x}", places=True)],
    "GET /v1/assays": [Ask("/v1/assays", code="ORF1ab")],
    "GET /v1/plate-templates": [Ask("/v1/plate-templates", code="usual-96")],
    "GET /v1/labs/{lab:str}/results": [
        Ask("/v1/labs/LAB-{x}/results", {"standard": "hl7", "since": "2022-08-01T00:00:00+08:00",
                                         "until": "2022-08-02T00:00:00+08:00"},
            scope="lab", code="TUBE-{x}2")
    ],
    "GET /v1/labs/{lab:str}/receptions": [
        Ask("/v1/labs/LAB-{x}/receptions", scope="lab", code="BOX-{x}")
    ],
    "GET /v1/receptions/{reception:uuid}": [
        Ask("/v1/receptions/{C{x}}", scope="lab", code="BOX-{x}")
    ],
    "GET /v1/discrepancies": [
        Ask("/v1/discrepancies", code="TUBE-{x}2"),
        Ask("/v1/discrepancies", {"lab": "LAB-{x}", "format": "csv"}, code="TUBE-{x}2"),
    ],
    "GET /v1/labs/{lab:str}/samples": [
        Ask("/v1/labs/LAB-{x}/samples", scope="lab"),
        Ask("/v1/labs/LAB-{x}/samples", {"format": "csv"}, scope="lab"),
    ],
    "GET /v1/labs/{lab:str}/plates": [Ask("/v1/labs/LAB-{x}/plates", scope="lab")],
    "GET /v1/labs/{lab:str}/plates/{code:str}": [
        Ask("/v1/labs/LAB-A/plates/NONE", scope="lab", answer="plate-unknown")
    ],
    "GET /v1/labs/{lab:str}/files": [Ask("/v1/labs/LAB-{x}/files", scope="lab")],
    "GET /v1/labs/{lab:str}/proposals": [Ask("/v1/labs/LAB-{x}/proposals", scope="lab")],
    "POST /v1/labs": [Ask("/v1/labs", body={"code": "N-{x}", "name": "N"}, scope="everywhere")],
    "POST /v1/assays": [
        Ask("/v1/assays", body={"assay": msgspec.to_builtins(usual_assay())}, scope="everywhere")
    ],
    "POST /v1/plate-templates": [
        Ask("/v1/plate-templates", body={"template": msgspec.to_builtins(usual(96))},
            scope="everywhere")
    ],
    "POST /v1/labs/{lab:str}/receptions": [
        Ask("/v1/labs/LAB-{x}/receptions", body={"code": "NEW-{x}"}, scope="lab")
    ],
    "POST /v1/receptions/{reception:uuid}/scans": [
        Ask("/v1/receptions/{C{x}}/scans", body={"scans": [{"barcode": "TUBE-{x}3"}]}, scope="lab")
    ],
    "POST /v1/receptions/{reception:uuid}/undo": [
        Ask("/v1/receptions/{C{x}}/undo", body={"barcode": "TUBE-{x}3"}, scope="lab")
    ],
    "POST /v1/receptions/{reception:uuid}/emptied": [
        Ask("/v1/receptions/{C{x}}/emptied", scope="lab")
    ],
    "POST /v1/discrepancies/{discrepancy:uuid}/assign": [
        Ask("/v1/discrepancies/{case{x}}/assign", body={"owner": "somebody"}, scope="case")
    ],
    "POST /v1/discrepancies/{discrepancy:uuid}/resolve": [
        Ask("/v1/discrepancies/{case{x}}/resolve", body={"how": "accepted"}, scope="case")
    ],
    "POST /v1/labs/{lab:str}/plates": [
        Ask("/v1/labs/LAB-{x}/plates", body={"code": "P-{x}", "assay": "sars-cov-2",
                                             "tubes": ["TUBE-{x}2"]}, scope="lab", answer="tubes-released-already")
    ],
    "POST /v1/labs/{lab:str}/plates/{code:str}/discard": [
        Ask("/v1/labs/LAB-A/plates/NONE/discard", body={"reason": "not_run"},
            scope="lab", answer="plate-unknown")
    ],
    "POST /v1/labs/{lab:str}/files": [
        Ask("/v1/labs/LAB-{x}/files", {"name": "run.csv"}, body={"nothing": "at all"}, scope="lab")
    ],
    "POST /v1/labs/{lab:str}/files/{file:str}/read": [
        Ask("/v1/labs/LAB-A/files/00/read", body={}, scope="lab", answer="lab-file-unknown")
    ],
    "POST /v1/labs/{lab:str}/files/{file:str}/set-aside": [
        Ask("/v1/labs/LAB-A/files/00/set-aside", scope="lab", answer="lab-file-unknown")
    ],
    "POST /v1/labs/{lab:str}/release": [Ask("/v1/labs/LAB-{x}/release", body={}, scope="lab")],
    "POST /v1/labs/{lab:str}/proposals/{result:uuid}/agree": [
        Ask("/v1/labs/LAB-A/proposals/{nothing}/agree", scope="lab", answer="proposal-unknown")
    ],
    "POST /v1/labs/{lab:str}/proposals/{result:uuid}/decline": [
        Ask("/v1/labs/LAB-A/proposals/{nothing}/decline", body={"reason": "repeat"},
            scope="lab", answer="proposal-unknown")
    ],
    "POST /v1/labs/{lab:str}/tubes/{barcode:str}/reject": [
        Ask("/v1/labs/LAB-A/tubes/NONE/reject", body={"reason": "leaking"},
            scope="lab", answer="not-ready-to-release")
    ],
}  # fmt: skip
