"""What is asked at each route by the tests of rights: a request for a thing of street A and, the same,
of street B. Every route of the application stands here, or tests/test_rights.py fails.
"""

from typing import Any
from uuid import UUID

from tests.rights_console import CONSOLE
from tests.rights_desk import DESK
from tests.rights_intake import INTAKE
from tests.rights_laboratory import LABORATORY, Ask
from tests.rights_papers import PAPERS
from tests.rights_pooling import POOLING
from tests.rights_resident import RESIDENT
from tests.rights_teams import TEAMS
from tests.rights_workforce import WORKFORCE
from tests.scene_rights import Caller, login
from tests.table import named

DAY = {"starts_at": "2022-08-02T06:00:00+08:00", "ends_at": "2022-08-02T20:00:00+08:00"}
STORY = {"since": "2022-08-01T00:00:00+08:00", "until": "2022-08-02T00:00:00+08:00"}
POLICY = {"name": "tube_size", "value": 5, "since": "2199-01-01T00:00:00+08:00"}

ADDRESSEE = {
    "name": "Police", "kinds": ["positive_tube"], "role": "tracer", "reach": "everywhere",
    "minutes": 15,
}  # fmt: skip

UNSIGNED = "not-signed-in"
TABLE: dict[str, list[Ask]] = {
    "GET /healthz": [Ask("/healthz")],
    "GET /readyz": [Ask("/readyz")],
    "GET /metrics": [Ask("/metrics")],
    "GET /openapi/openapi.json": [Ask("/openapi/openapi.json")],
    # The console: its pages hold nothing of anybody.
    "GET /": [Ask("/")],
    "GET /console": [Ask("/console")],
    "GET /field": [Ask("/field")],
    "GET /field/{path:path}": [Ask("/field/none.js", answer="not-found")],
    "GET /console/{path:path}": [Ask("/console/none.js", answer="not-found")],
    "GET /v1/health": [Ask("/v1/health")],
    "GET /v1/problems": [Ask("/v1/problems")],
    "GET /v1/vocabulary": [Ask("/v1/vocabulary")],
    "GET /v1/alarms": [Ask("/v1/alarms")],
    "GET /v1/stalled": [Ask("/v1/stalled")],
    "GET /v1/late": [Ask("/v1/late", person="{late{x}}", places=True)],
    "GET /v1/receipts": [Ask("/v1/receipts", {"id": "{e{x}}"})],
    "GET /v1/inbox": [Ask("/v1/inbox", code="outside-scope", code_for="everywhere")],
    "GET /v1/areas": [Ask("/v1/areas", {"parent": "CITY"}, code="STREET-{x}", places=True)],
    "GET /v1/areas/{area:str}": [Ask("/v1/areas/STREET-{x}", code="STREET-{x}", places=True)],
    "GET /v1/units": [Ask("/v1/units", code="UNIT-{x}", places=True)],
    "GET /v1/sites": [Ask("/v1/sites", code="SITE-{x}", places=True)],
    "GET /v1/rounds": [Ask("/v1/rounds", code="ROUND-{x}", places=True)],
    "GET /v1/policies/tube-size": [
        Ask("/v1/policies/tube-size", {"area": "STREET-{x}"}, scope="area"),
        Ask("/v1/policies/tube-size"),
    ],
    "GET /v1/people": [
        Ask("/v1/people", {"area": "STREET-{x}", "name": "zhuang"}, scope="area"),
        Ask("/v1/people", {"area": "STREET-{x}", "name": "{n}庄"}, scope="area", person="{p{x}1}"),
        Ask("/v1/people", {"area": "STREET-{x}", "name": "{n}庄", "format": "csv"}, scope="area"),
        Ask("/v1/people", {"area": "CITY", "name": "{n}庄"}, scope="everywhere"),
    ],
    "GET /v1/people/{person:uuid}": [
        Ask("/v1/people/{p{x}1}", scope="area", person="{p{x}1}"),
        Ask("/v1/people/{p{x}1}", {"reason": "call_back"}, scope="area", person="{n}庄霜一",
            needs="unmask", whole=True),
        Ask("/v1/people/{guest}", scope="everywhere"),
        Ask("/v1/people/{guest}", {"reason": "tracing"}, scope="everywhere", needs="unmask",
            whole=True),
    ],
    "GET /v1/people/{person:uuid}/results": [
        Ask("/v1/people/{p{x}1}/results", scope="area", code="{T{x}1}"),
        Ask("/v1/people/{p{x}8}/results", scope="area"),
        Ask("/v1/people/{host}/results", code="{TB9}"),
    ],
    "GET /v1/people/{person:uuid}/status": [
        Ask("/v1/people/{p{x}1}/status", scope="area", code="{T{x}1}"),
        Ask("/v1/people/{guest}/status", scope="everywhere"),
    ],
    "GET /v1/own/status": [Ask("/v1/own/status", code="{TA1}")],
    "GET /v1/own": [Ask("/v1/own", code="甲庄霜一", whole=True)],
    "GET /v1/people/{person:uuid}/about": [
        Ask("/v1/people/{p{x}1}/about", scope="area", person="{n}庄霜一", whole=True)
    ],
    "GET /v1/objections": [Ask("/v1/objections", person="{p{x}4}")],
    "GET /v1/readings": [Ask("/v1/readings", code="{pA1}")],
    "GET /v1/own/results": [Ask("/v1/own/results", code="{TA1}")],
    "GET /v1/duplicates": [
        Ask("/v1/duplicates", person="{p{x}6}"),
        Ask("/v1/duplicates", {"format": "csv"}, person="{p{x}6}"),
    ],
    "GET /v1/recalls": [
        Ask("/v1/recalls", person="{p{x}1}", code="TUBE-{x}1"),
        Ask("/v1/recalls", {"format": "csv", "recall_state": "open"}, person="{p{x}2}"),
        Ask("/v1/recalls", {"reason": "tracing"}, person="{n}庄霜二", needs="unmask", whole=True),
    ],
    "GET /v1/tubes/{tube:uuid}/recall": [
        Ask("/v1/tubes/{T{x}1}/recall", scope="area", person="{p{x}2}", code="TUBE-{x}1"),
        Ask("/v1/tubes/{T{x}1}/recall", {"reason": "call_back"}, scope="area",
            person="{n}庄霜二", needs="unmask", whole=True),
    ],
    "GET /v1/tubes/{tube:uuid}/contacts": [
        Ask("/v1/tubes/{T{x}1}/contacts", scope="area", person="{p{x}2}"),
        Ask("/v1/tubes/{T{x}1}/contacts", {"reason": "tracing"}, scope="area",
            person="{n}庄霜二", needs="unmask", whole=True),
    ],
    "GET /v1/tasks": [
        Ask("/v1/tasks", code="{K{x}}", code_for="lab"),
        Ask("/v1/tasks", {"task_state": "all", "format": "csv"}, code="{K{x}}", code_for="lab"),
    ],
    "GET /v1/addressees": [Ask("/v1/addressees", code="squad")],
    "GET /v1/conflicts": [Ask("/v1/conflicts", code="TUBE-{x}3")],
    "GET /v1/results/waiting": [
        Ask("/v1/results/waiting", code="LOST-{x}", code_for="everywhere lab")
    ],
    "GET /v1/tubes/{tube:str}": [
        Ask("/v1/tubes/TUBE-{x}1", scope="tube", person="{p{x}2}", code="{T{x}1}"),
        Ask("/v1/tubes/{T{x}1}", scope="tube", person="{p{x}2}", code="TUBE-{x}1"),
        Ask("/v1/tubes/SHARED", person="{host}", code="SITE-B", places=True),
        Ask("/v1/tubes/DOUBLE-{x}", scope="tube", code="{T{x}5}"),
        Ask("/v1/tubes/TUBE-{x}1", {"reason": "tracing"}, scope="area", person="{n}庄霜二",
            needs="unmask", whole=True),
    ],
    "GET /v1/tubes/ages": [
        Ask("/v1/tubes/ages", {"round": "ROUND-{x}"}),
        Ask("/v1/tubes/ages", {"lab": "LAB-{x}"}, scope="lab"),
    ],
    "GET /v1/stages": [
        Ask("/v1/stages", STORY, code="SITE-A", code_for="everywhere area"),
        Ask("/v1/stages", {"by": "box", **STORY}, code="BOX-A", code_for="everywhere area"),
    ],
    "GET /v1/labs/{lab:str}/reconciliation": [
        Ask("/v1/labs/LAB-{x}/reconciliation", STORY, scope="lab", code="LAB-{x}"),
    ],
    "GET /v1/boxes": [
        Ask("/v1/boxes", code="BOX-{x}"),
        Ask("/v1/boxes", {"site": "SITE-{x}", "format": "csv"}, code="BOX-{x}"),
    ],
    "GET /v1/boxes/{box:str}": [
        Ask("/v1/boxes/BOX-{x}", scope="area", code="TUBE-{x}1"),
        Ask("/v1/boxes/{BX{x}}", scope="area", code="BOX-{x}"),
    ],
    "GET /v1/hand-overs": [Ask("/v1/hand-overs")],
    "GET /v1/barcode-formats": [Ask("/v1/barcode-formats")],
    "GET /v1/barcodes/{text:str}": [Ask("/v1/barcodes/TUBE-{x}1", code="TUBE-{x}1")],
    "GET /v1/anomalies": [Ask("/v1/anomalies", person="{p{x}3}", code="DOUBLE-{x}", code_for="everywhere")],
    "GET /v1/devices/gaps": [
        Ask("/v1/devices/gaps", code="D-A", code_for="everywhere", never="D-WHOLE", places=True)
    ],
    "GET /v1/rounds/{round:str}/funnel": [
        Ask("/v1/rounds/ROUND-{x}/funnel", {"area": "STREET-{x}"}, scope="area", code="STREET-{x}"),
        Ask("/v1/rounds/ROUND-CITY/funnel", {"area": "CITY"}, scope="everywhere"),
        Ask("/v1/rounds/ROUND-CLOSED/funnel", {"area": "STREET-{x}"}, scope="area"),
    ],
    "GET /v1/rounds/{round:str}/missing": [
        Ask("/v1/rounds/ROUND-{x}/missing", {"area": "STREET-{x}"}, scope="area", person="{p{x}5}"),
        Ask("/v1/rounds/ROUND-{x}/missing", {"area": "HOUSE-{x}", "format": "csv"}, scope="area"),
        Ask("/v1/rounds/ROUND-CITY/missing", {"area": "CITY"}, scope="everywhere"),
    ],
    "GET /v1/rounds/{round:str}/balance": [
        Ask("/v1/rounds/ROUND-{x}/balance", scope="area", code="STREET-{x}"),
        Ask("/v1/rounds/ROUND-CITY/balance", code="STREET-{x}"),
        Ask("/v1/rounds/ROUND-CLOSED/balance", code="STREET-{x}"),
    ],
    # A phone's slice of its own place; the queue that somebody else carries.
    "GET /v1/slice": [
        Ask("/v1/slice", person="{pA5}", whole=True),
        Ask("/v1/slice", {"building": "HOUSE-{x}"}, scope="area", person="{p{x}5}", whole=True),
    ],
    "GET /v1/queue-key": [Ask("/v1/queue-key")],
    "POST /v1/queues": [Ask("/v1/queues", answer="not-a-queue")],
    "PUT /v1/site-photos/{hash:str}": [Ask(f"/v1/site-photos/{'0' * 64}", answer="photo-unfit")],
    "GET /v1/site-photos/{hash:str}": [Ask(f"/v1/site-photos/{'0' * 64}", answer="photo-unknown")],
    "GET /v1/devices": [Ask("/v1/devices", code="spare-{x}", places=True)],
    "GET /v1/devices/{device:str}/holders": [Ask("/v1/devices/spare-{x}/holders")],
    # What changes something: each caller has things of its own to change.
    "POST /v1/events": [Ask("/v1/events", body={"items": []})],
    "POST /v1/inbox/{inbox:uuid}/accept": [
        Ask("/v1/inbox/{accept-{x}-{who}}/accept", scope="everywhere")
    ],
    "POST /v1/inbox/{inbox:uuid}/refuse": [
        Ask("/v1/inbox/{refuse-{x}-{who}}/refuse", body={"reason": "other"}, scope="everywhere")
    ],
    "POST /v1/inbox/retry": [Ask("/v1/inbox/retry")],
    "POST /v1/rounds": [
        Ask("/v1/rounds", body={"name": "N", "areas": ["STREET-{x}"], **DAY}, scope="area"),
        Ask("/v1/rounds", body={"name": "N", "areas": ["STREET-A", "CITY"], **DAY},
            scope="everywhere"),
    ],
    "POST /v1/rounds/{round:str}/close": [
        Ask("/v1/rounds/close-{x}-{who}/close", body={"allow_open": True}, scope="area"),
    ],
    "POST /v1/policies": [
        Ask("/v1/policies", body={**POLICY, "area": "STREET-{x}"}, scope="area"),
        Ask("/v1/policies", body=POLICY, scope="everywhere"),
    ],
    "POST /v1/barcode-formats": [
        Ask("/v1/barcode-formats", body={"supplier": "S", "kind": "bag", "pattern": "{x}-##"},
            scope="everywhere"),
    ],
    "POST /v1/people/by-number": [
        Ask("/v1/people/by-number", body={"number": "{x}A8000001"}, scope="area",
            person="{p{x}1}"),
        Ask("/v1/people/by-number", body={"number": "{x}A8000001", "reason": "correction"},
            scope="area", person="{n}庄霜一", needs="unmask", whole=True),
    ],
    "POST /v1/own/objections": [
        Ask("/v1/own/objections", body={"about": "other"}),
        Ask("/v1/own/objections", body={"about": "other", "person": "{pA2}"},
            answer="person-unknown"),
    ],
    "POST /v1/objections/{objection:uuid}/answer": [
        Ask("/v1/objections/{o{x}}/answer", body={"answer": "rejected"}, scope="area")
    ],
    "POST /v1/people/{person:uuid}/merge": [
        Ask("/v1/people/{m{x}-{who}}/merge", body={"into": "{n{x}-{who}}"}, scope="area"),
        Ask("/v1/people/{nA-{who}}/merge", body={"into": "{nB-{who}}"}, scope="everywhere"),
    ],
    "POST /v1/people/{person:uuid}/unmerge": [
        Ask("/v1/people/{u{x}-{who}}/unmerge", scope="area"),
    ],
    "POST /v1/results/{result:uuid}/bind": [
        Ask("/v1/results/{r{x}1}/bind", body={"tube": "{T{x}1}"}, scope="lab")
    ],
    "POST /v1/results/{result:uuid}/amend": [
        Ask("/v1/results/{r{x}2}/amend", body={"outcome": "invalid", "reason": "clerical"},
            scope="lab")
    ],
    "POST /v1/results/{result:uuid}/reject": [
        Ask("/v1/results/{r{x}5}/reject", body={"reason": "other"}, scope="lab")
    ],
    "POST /v1/tasks/{task:uuid}/acknowledge": [
        Ask("/v1/tasks/{K{x}}/acknowledge", scope="lab")
    ],
    "POST /v1/tasks/{task:uuid}/done": [Ask("/v1/tasks/{K{x}}/done", body={}, scope="lab")],
    "POST /v1/addressees": [
        Ask("/v1/addressees", body=ADDRESSEE | {"code": "police-{x}"}, scope="everywhere")
    ],
    "POST /v1/devices": [
        Ask("/v1/devices", body={"code": "new-{x}-{who}", "area": "STREET-{x}"}, scope="area")
    ],
    "POST /v1/devices/{device:str}/code": [Ask("/v1/devices/spare-{x}/code")],
    "POST /v1/devices/{device:str}/move": [
        Ask("/v1/devices/spare-{x}/move", body={"site": "SITE-{x}"})
    ],
    "POST /v1/devices/{device:str}/revoke": [
        Ask("/v1/devices/spare-{x}/revoke", body={"reason": "lost"})
    ],
    "POST /v1/devices/{device:str}/reinstate": [Ask("/v1/devices/spare-{x}/reinstate")],
    "POST /v1/device/tokens": [
        Ask("/v1/device/tokens", body={"code": "nothing"}, answer="enrolment-over")
    ],
    "POST /v1/device/tokens/refresh": [
        Ask("/v1/device/tokens/refresh", body={"refresh": "nothing"}, answer="token-over")
    ],
    "POST /v1/device/pin": [
        Ask("/v1/device/pin", body={"device_token": "nothing", "pin": "285193"},
            answer="token-over")
    ],
    "POST /v1/device/holder": [
        Ask("/v1/device/holder", body={"login": "nobody", "pin": "285193"}, answer="pin-wrong")
    ],
    "POST /v1/device/holder/leave": [Ask("/v1/device/holder/leave")],
    # Of accounts, by who makes them; and what needs a session, which no device's token is.
    "GET /v1/accounts": [Ask("/v1/accounts", code="spare-account")],
    "GET /v1/accounts/{account:str}": [Ask("/v1/accounts/spare-account", code="spare-account")],
    "GET /v1/accounts/{account:uuid}/sessions": [Ask("/v1/accounts/{spare}/sessions")],
    "POST /v1/accounts": [Ask("/v1/accounts", body={"login": "new.account"})],
    "POST /v1/accounts/{account:uuid}/roles": [
        Ask("/v1/accounts/{spare}/roles", body={"role": "courier", "site": "SITE-{x}"})
    ],
    "POST /v1/accounts/{account:uuid}/roles/{holding:uuid}/move": [
        Ask("/v1/accounts/{spare}/roles/{moved}/move", body={"role": "sampler", "site": "SITE-B"})
    ],
    "POST /v1/accounts/{account:uuid}/roles/{holding:uuid}/end": [
        Ask("/v1/accounts/{spare}/roles/{ended}/end", body={"reason": "left"})
    ],
    "DELETE /v1/accounts/{account:uuid}/sessions": [Ask("/v1/accounts/{spare}/sessions")],
    "DELETE /v1/accounts/{account:uuid}/sessions/{session:uuid}": [
        Ask("/v1/accounts/{spare}/sessions/{nothing}", answer="session-unknown")
    ],
    "POST /v1/accounts/{account:uuid}/enrolment": [
        Ask("/v1/accounts/{spare}/enrolment", body={}, answer=UNSIGNED)
    ],
    "POST /v1/accounts/slips": [Ask("/v1/accounts/slips", body={}, answer=UNSIGNED)],
    "POST /v1/accounts/{account:uuid}/close": [
        Ask("/v1/accounts/{spare}/close", body={"reason": "left"})
    ],
    "GET /v1/session": [Ask("/v1/session", answer=UNSIGNED)],
    "DELETE /v1/session": [Ask("/v1/session", answer=UNSIGNED)],
    "GET /v1/session/contact": [Ask("/v1/session/contact", answer=UNSIGNED)],
    "PUT /v1/session/contact": [
        Ask("/v1/session/contact", body={"phone": None}, answer=UNSIGNED)
    ],
    "GET /v1/session/sessions": [Ask("/v1/session/sessions", answer=UNSIGNED)],
    "DELETE /v1/session/sessions": [Ask("/v1/session/sessions", answer=UNSIGNED)],
    "DELETE /v1/session/sessions/{session:uuid}": [
        Ask("/v1/session/sessions/{nothing}", answer=UNSIGNED)
    ],
    "GET /v1/session/undertaking": [Ask("/v1/session/undertaking")],
    "POST /v1/session": [
        Ask("/v1/session", body={"login": "nobody", "password": "nothing"}, answer="wrong-sign-in",
            once=True)
    ],
    "POST /v1/session/undertaking": [
        Ask("/v1/session/undertaking", body={"edition": "1"}, answer=UNSIGNED)
    ],
    "POST /v1/session/password": [
        Ask("/v1/session/password", body={"password": "a", "new_password": "b"}, answer=UNSIGNED)
    ],
    "POST /v1/session/second-factor": [
        Ask("/v1/session/second-factor", body={"code": "1"}, answer=UNSIGNED)
    ],
    "POST /v1/session/totp": [Ask("/v1/session/totp", answer=UNSIGNED)],
    "POST /v1/session/totp/confirm": [
        Ask("/v1/session/totp/confirm", body={"code": "1"}, answer=UNSIGNED)
    ],
    "POST /v1/session/recovery-codes": [Ask("/v1/session/recovery-codes", answer=UNSIGNED)],
    "GET /v1/passkeys": [Ask("/v1/passkeys", answer=UNSIGNED)],
    "POST /v1/passkeys": [Ask("/v1/passkeys", body={"credential": {}}, answer=UNSIGNED)],
    "POST /v1/passkeys/options": [Ask("/v1/passkeys/options", answer=UNSIGNED)],
    "DELETE /v1/passkeys/{credential:str}": [Ask("/v1/passkeys/nothing", answer=UNSIGNED)],
    "POST /v1/passkeys/sign-in/options": [Ask("/v1/passkeys/sign-in/options")],
    "POST /v1/passkeys/sign-in": [
        Ask("/v1/passkeys/sign-in", body={"credential": {}}, answer="passkey-refused")
    ],
    "POST /v1/enrolments/look": [
        Ask("/v1/enrolments/look", body={"code": "nothing"}, answer="code-unusable")
    ],
    "POST /v1/enrolments": [
        Ask("/v1/enrolments", body={"code": "nothing", "password": "seven lanes before sunrise"},
            answer="code-unusable")
    ],
    "GET /enrol": [Ask("/enrol")],
    "GET /enrol.js": [Ask("/enrol.js")],
    "GET /enrol.css": [Ask("/enrol.css")],
    # The scanning station: its page, and what it asks of a laboratory.
    "GET /station": [Ask("/station")],
    "GET /station/{name:str}": [Ask("/station/station.js")],
    "GET /v1/station": [Ask("/v1/station")],
    "GET /v1/labs/{lab:str}/open-counts": [Ask("/v1/labs/LAB-{x}/open-counts", scope="lab")],
    "GET /v1/labs/{lab:str}/to-sign": [Ask("/v1/labs/LAB-{x}/to-sign", scope="lab")],
    "GET /v1/labs/{lab:str}/free-plates/{code:str}": [
        Ask("/v1/labs/LAB-{x}/free-plates/PLATE-1", scope="lab")
    ],
    "GET /v1/labs/{lab:str}/samples/{barcode:str}": [
        Ask("/v1/labs/LAB-{x}/samples/NONE", scope="lab", answer="tubes-not-received")
    ],
    **LABORATORY,
    **INTAKE,
    **PAPERS,
    **DESK,
    **CONSOLE,
    **RESIDENT,
    **WORKFORCE,
    **TEAMS,
    **POOLING,
    "GET /v1/oidc/start": [Ask("/v1/oidc/start", answer="oidc-not-set")],
    "GET /v1/oidc/callback": [Ask("/v1/oidc/callback", answer="oidc-not-set")],
    "GET /openapi": [Ask("/openapi")],
    "GET /openapi/{path:str}": [Ask("/openapi/nothing", answer="404")],
}  # fmt: skip
# Who changes something of a street in the table, and so needs things of their own there.
CHANGING = [
    login("command_post", "everywhere"), login("command_post", "area"), login("area_lead", "area"),
    login("administrator", "everywhere"),
]  # fmt: skip


class Things:
    """What the words in braces stand for: {x}, {who}, {n}, and the id of any other name."""

    def __init__(self, side: str, caller: Caller | None, ids: dict[str, UUID]) -> None:
        self.words = {
            "{x}": side, "{n}": "甲" if side == "A" else "乙",
            "{who}": caller.login if caller and caller.login in CHANGING else CHANGING[0],
        }  # fmt: skip
        self.ids = ids

    def filled(self, text: Any) -> Any:
        """The text, or every text of a body."""
        if isinstance(text, dict):
            return {key: self.filled(value) for key, value in text.items()}
        if isinstance(text, list):
            return [self.filled(one) for one in text]
        if not isinstance(text, str):
            return text
        for word, value in self.words.items():
            text = text.replace(word, value)
        head, brace, rest = text.partition("{")
        if not brace:
            return text
        name, _, tail = rest.partition("}")
        return f"{head}{self.ids.get(name) or named(name)}{self.filled(tail)}"
