"""Each route of custody, laboratories and tasks, asked by whoever works there: what it answers, and
which problem to whom.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.lab.engine.assay import usual as usual_assay
from muster.lab.engine.plates import usual
from muster.ledger.event import Event
from tests.conftest import Play
from tests.senders import client, command_post, query, visit
from tests.table import TOWN, events, named
from tests.test_http import NOBODY, check

ASSAY, LAYOUT = msgspec.to_builtins(usual_assay()), msgspec.to_builtins(usual(96))
SCENE = (
    TOWN.rstrip()
    + """
    08:00  SiteListed      X1  area=G1
    08:00  TubeSealed      T1  members=p1 round=R1 site=X1 barcode=B1
    08:00  TubeSealed      T2  members=p2 round=R1 site=X1 barcode=B2
    08:00  TubeSealed      T9  members=p3 round=R1 site=X1 barcode=B9
    08:30  BoxPacked       K1  code=BOX1 tubes=B1,B2 site=X1 bound_for=L1
    09:00  ResultReleased  r9  barcode=B9 tube=T9 outcome=positive lab=L9
"""
)
PLATE = {"code": "P1", "assay": "sars-cov-2", "tubes": ["B1"]}
DAY = "since=2022-08-01T00:00:00%2B08:00&until=2022-08-02T00:00:00%2B08:00"
LATELY = f"since={now().date().isoformat()}T00:00:00Z"
Asked = tuple[str, str, Any, Any]

AT_THE_COMMAND_POST: list[Asked] = [
    ("POST", "/v1/labs", {"code": "L1", "name": "L1"}, 201),
    ("POST", "/v1/labs", {"code": "", "name": "L1"}, "bad-request"),
    ("POST", "/v1/labs", {"code": "L1", "name": "L1", "area": "nowhere"}, "area-unknown"),
    ("GET", "/v1/labs", None, 200),
    ("POST", "/v1/assays", {"assay": ASSAY}, 201),
    ("POST", "/v1/assays", {"assay": {**ASSAY, "positive_needs": 9}}, "bad-request"),
    ("POST", "/v1/assays", {"assay": ASSAY, "since": "2001-01-01T00:00:00Z"}, "edition-in-the-past"),
    ("GET", "/v1/assays", None, 200),
    ("POST", "/v1/plate-templates", {"template": {**LAYOUT, "code": "ours"}}, 201),
    ("POST", "/v1/plate-templates", {"template": {**LAYOUT, "controls": {}}}, "bad-request"),
    ("GET", "/v1/plate-templates", None, 200),
    ("POST", "/v1/barcode-formats", {"supplier": "S", "kind": "bag", "pattern": "BAG-##"}, 201),
    ("POST", "/v1/barcode-formats", {"supplier": "S", "kind": "bag", "pattern": "BAG"},
     "format-unusable"),
    ("GET", "/v1/barcode-formats", None, 200),
    ("GET", "/v1/barcodes/BAG-11", None, 200),
    ("POST", "/v1/addressees", {"code": "police", "name": "P", "kinds": ["positive_tube"],
                                "role": "tracer", "reach": "everywhere", "minutes": 30}, 201),
    ("POST", "/v1/addressees", {"code": "police"}, "bad-request"),
    ("GET", "/v1/addressees", None, 200),
    ("GET", "/v1/boxes", None, 200),
    ("GET", "/v1/boxes?after=x", None, "bad-cursor"),
    ("GET", "/v1/boxes/BOX1", None, 200),
    ("GET", "/v1/boxes/BOX9", None, "box-unknown"),
    ("GET", "/v1/hand-overs", None, 200),
    ("GET", "/v1/tubes/ages", None, 200),
    ("GET", f"/v1/stages?{DAY}", None, 200),
    ("GET", "/v1/stages?by=mood", None, "bad-request"),
    ("GET", f"/v1/labs/L1/reconciliation?{DAY}", None, 200),
    ("GET", "/v1/labs/L8/reconciliation", None, "lab-unknown"),
]  # fmt: skip
AT_RECEPTION: list[Asked] = [
    ("POST", "/v1/labs/L1/receptions", {"code": "BOX1"}, 201),
    ("POST", "/v1/labs/L2/receptions", {"code": "BOX1"}, "outside-your-lab"),
    ("POST", "/v1/labs/L1/receptions", {"code": " "}, "barcode-unreadable"),
    ("POST", "/v1/labs/L1/receptions", {"code": "BAG-11"}, "wrong-kind"),
    ("GET", "/v1/receptions/<reception>", None, 200),
    ("GET", f"/v1/receptions/{NOBODY}", None, "reception-unknown"),
    ("POST", "/v1/receptions/<reception>/scans", {"scans": [{"barcode": "B1"}]}, 200),
    ("POST", "/v1/receptions/<reception>/scans", {"scans": []}, "bad-request"),
    ("POST", "/v1/receptions/<reception>/scans", {"scans": [{"barcode": "BX"}]}, 200),
    ("POST", f"/v1/receptions/{NOBODY}/scans", {"scans": [{"barcode": "B1"}]}, "reception-unknown"),
    ("POST", "/v1/receptions/<reception>/undo", {"barcode": "BX"}, 204),
    ("POST", "/v1/receptions/<reception>/undo", {"barcode": "BX"}, "not-scanned"),
    ("POST", "/v1/receptions/<reception>/emptied", None, 200),
    ("POST", "/v1/receptions/<reception>/emptied", None, "reception-over"),
    ("GET", "/v1/labs/L1/receptions", None, 200),
    ("GET", "/v1/discrepancies", None, 200),
    ("GET", "/v1/discrepancies?after=x", None, "bad-cursor"),
    ("POST", "/v1/discrepancies/<case>/assign", {"owner": "somebody"}, 204),
    ("POST", "/v1/discrepancies/<case>/resolve", {"how": "found"}, 204),
    ("POST", "/v1/discrepancies/<case>/resolve", {"how": "magic"}, "bad-request"),
    ("POST", f"/v1/discrepancies/{NOBODY}/resolve", {"how": "found"}, "discrepancy-unknown"),
    ("GET", "/v1/labs/L1/samples", None, 200),
    ("GET", "/v1/labs/L2/samples", None, "outside-your-lab"),
    ("POST", "/v1/labs/L1/release", {}, "forbidden"),
]
AT_THE_BENCH: list[Asked] = [
    ("POST", "/v1/labs/L1/plates", PLATE, 201),
    ("POST", "/v1/labs/L1/plates", PLATE, 201),
    ("POST", "/v1/labs/L1/plates", {**PLATE, "template": "round"}, "template-unknown"),
    ("POST", "/v1/labs/L1/plates", {**PLATE, "code": "P2"}, "tubes-loaded-already"),
    ("POST", "/v1/labs/L1/plates", {**PLATE, "code": "P2", "wells": {"Z1": "B1"}}, "no-such-well"),
    ("GET", "/v1/labs/L1/plates", None, 200),
    ("GET", "/v1/labs/L1/plates/P1", None, 200),
    ("GET", "/v1/labs/L1/plates/P9", None, "plate-unknown"),
    ("POST", "/v1/labs/L1/files?name=a.csv", {"no": "run"}, 200),
    ("GET", "/v1/labs/L1/files", None, 200),
    ("POST", "/v1/labs/L1/files/<file>/read", {"plate": "P1"}, 200),
    ("POST", "/v1/labs/L1/files/<file>/set-aside", None, 204),
    ("POST", "/v1/labs/L1/files/<file>/set-aside", None, "lab-file-unknown"),
    ("POST", "/v1/labs/L1/plates/P1/discard", {"reason": "dropped"}, 204),
    ("POST", "/v1/labs/L1/plates/P1/discard", {"reason": "dropped"}, "plate-unknown"),
]
SIGNING: list[Asked] = [
    ("POST", "/v1/labs/L1/release", {}, 200),
    ("POST", "/v1/labs/L1/release", {"barcodes": ["B1"]}, "not-ready-to-release"),
    ("GET", "/v1/labs/L1/proposals", None, 200),
    ("POST", f"/v1/labs/L1/proposals/{NOBODY}/agree", None, "proposal-unknown"),
    ("POST", f"/v1/labs/L1/proposals/{NOBODY}/decline", {"reason": "repeat"}, "proposal-unknown"),
    ("GET", f"/v1/labs/L1/results?standard=hl7&{DAY}", None, "nothing-released"),
    ("POST", "/v1/labs/L1/tubes/B1/reject", {"reason": "leaking"}, 200),
    ("POST", "/v1/labs/L1/tubes/B1/reject", {"reason": "leaking"}, "not-ready-to-release"),
    ("GET", f"/v1/labs/L1/results?standard=hl7&{LATELY}", None, 200),
    ("GET", f"/v1/labs/L1/results?standard=fhir&{LATELY}", None, 200),
    ("GET", "/v1/labs/L1/results?standard=hl7&since=2022-08-01T00:00:00Z", None, "span-too-long"),
]
CALLED: list[Asked] = [
    ("GET", "/v1/tasks", None, 200),
    ("GET", "/v1/tasks?after=x", None, "bad-cursor"),
    ("POST", "/v1/tasks/<task>/acknowledge", None, 204),
    ("POST", "/v1/tasks/<task>/done", {"outcome": "mood"}, "bad-request"),
    ("POST", "/v1/tasks/<task>/done", {}, 204),
    ("POST", f"/v1/tasks/{NOBODY}/acknowledge", None, "task-unknown"),
    ("GET", f"/v1/tubes/{named('T9')}/recall", None, 200),
    ("GET", f"/v1/tubes/{named('T9')}/contacts", None, 200),
    ("GET", f"/v1/tubes/{NOBODY}/recall", None, "recall-tube-unknown"),
    ("GET", f"/v1/tubes/{NOBODY}/contacts", None, "recall-tube-unknown"),
]
ALL = (AT_THE_COMMAND_POST, AT_RECEPTION, AT_THE_BENCH, SIGNING, CALLED)
ANSWERED = {(method, path) for asked in ALL for method, path, *_ in asked}


def test_whoever_works_there_is_answered(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append([lately(one) for one in events(SCENE)])
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        crew, address = Crew(muster), str(http.base_url)
        lab = await crew.laboratory("L1")
        await crew.staff("squad", Grant("squad", area=named("S1")))
        squad = await crew.device("squad-1", holder="squad")
        tokens = (await command_post(muster), lab.receiver.token, lab.operator.token,
                  lab.signers[0].token, squad)  # fmt: skip
        known: dict[str, str] = {}
        for asked, token in zip(ALL, tokens, strict=True):
            async with client(address, token) as who:
                for method, path, body, wanted in asked:
                    for name in FOUND:
                        if f"<{name}>" in path and name not in known:
                            known[name] = str((await query(muster, FOUND[name]))[0])
                    for name, value in known.items():
                        path = path.replace(f"<{name}>", value)
                    answer = await who.request(method, path, json=body)
                    try:
                        check(answer, wanted, "en")
                    except AssertionError as error:
                        raise AssertionError(f"{method} {path}: {answer.text}") from error
                    learn(answer, known)

    visit(play, story)


def lately(one: Event) -> Event:
    """Tubes and boxes come to the laboratory today."""
    at = now() - timedelta(hours=1)
    moved = one.type in ("TubeSealed", "BoxPacked")
    return replace(one, at=at, device_at=at, received_at=at) if moved else one


FOUND = {
    "case": "SELECT discrepancy FROM lab.discrepancy WHERE state = 'open' ORDER BY kind",
    "task": "SELECT task FROM hq.task WHERE role = 'squad'",
}


def learn(answer: httpx.Response, known: dict[str, str]) -> None:
    """Remember the ids that an answer gave, for what is asked after it."""
    kind = answer.headers.get("content-type", "")
    said = answer.json() if answer.is_success and kind.startswith("application/json") else {}
    if isinstance(said, dict):
        known |= {one: str(said[one]) for one in ("reception", "file") if said.get(one)}
