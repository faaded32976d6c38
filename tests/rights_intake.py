"""What is asked at the routes of imports and of walking the doors by the tests of rights; see
rights_table.
"""

from tests.rights_laboratory import Ask

NONE = "/v1/imports/00000000-0000-4000-8000-000000000000"
UNKNOWN = "import-unknown"

INTAKE: dict[str, list[Ask]] = {
    # A file is seen by who sent it; the tests of imports tell more.
    "GET /v1/import-rules": [Ask("/v1/import-rules")],
    "GET /v1/imports": [Ask("/v1/imports")],
    "POST /v1/imports": [Ask("/v1/imports", body={"name": "x.csv", "size_bytes": 5})],
    "GET /v1/imports/{import_:uuid}": [Ask(NONE, answer=UNKNOWN)],
    "POST /v1/imports/{import_:uuid}/parts/{number:int}": [Ask(f"{NONE}/parts/0", answer=UNKNOWN)],
    "GET /v1/imports/{import_:uuid}/columns": [Ask(f"{NONE}/columns", answer=UNKNOWN)],
    "POST /v1/imports/{import_:uuid}/columns": [
        Ask(f"{NONE}/columns", body={"kind": "residents"}, answer=UNKNOWN)
    ],
    "POST /v1/imports/{import_:uuid}/check": [Ask(f"{NONE}/check", answer=UNKNOWN)],
    "POST /v1/imports/{import_:uuid}/start": [Ask(f"{NONE}/start", answer=UNKNOWN)],
    "POST /v1/imports/{import_:uuid}/stop": [Ask(f"{NONE}/stop", answer=UNKNOWN)],
    "POST /v1/imports/{import_:uuid}/discard": [Ask(f"{NONE}/discard", answer=UNKNOWN)],
    "GET /v1/imports/{import_:uuid}/faults": [Ask(f"{NONE}/faults", answer=UNKNOWN)],
    "GET /v1/imports/{import_:uuid}/rejects": [Ask(f"{NONE}/rejects", answer=UNKNOWN)],
    # From the tree to the door.
    "GET /v1/rounds/{round:str}/tree": [
        Ask("/v1/rounds/ROUND-{x}/tree", {"area": "STREET-{x}"}, scope="area", code="HOUSE-{x}"),
        Ask("/v1/rounds/ROUND-{x}/tree"),
    ],
    "GET /v1/rounds/{round:str}/doors": [
        Ask("/v1/rounds/ROUND-{x}/doors", {"area": "HOUSE-{x}"}, scope="area", person="{p{x}5}"),
        Ask("/v1/rounds/ROUND-{x}/doors", {"area": "HOUSE-{x}", "reason": "call_back"}, scope="area",
            person="{n}庄霜五", needs="unmask", whole=True),
    ],
    # nobody waits in the scene; who does is shown as in `doors`, see tests/test_visits.py
    "GET /v1/rounds/{round:str}/waiting": [
        Ask("/v1/rounds/ROUND-{x}/waiting", {"area": "STREET-{x}"}, scope="area"),
        Ask("/v1/rounds/ROUND-{x}/waiting", {"area": "STREET-{x}", "format": "csv"}, scope="area"),
    ],
    "GET /v1/rounds/{round:str}/unplaced": [
        Ask("/v1/rounds/ROUND-{x}/unplaced", scope="everywhere", person="{w{x}}"),
        Ask("/v1/rounds/ROUND-{x}/unplaced", {"reason": "call_back"}, scope="everywhere",
            person="{n}庄霜九", needs="unmask", whole=True),
    ],
    "POST /v1/rounds/{round:str}/stances": [
        Ask("/v1/rounds/ROUND-{x}/stances", body={"person": "{p{x}1}", "said": "refused"},
            scope="area", answer="sampled-already")
    ],
    "POST /v1/stances/{event:uuid}/undo": [
        Ask(f"{NONE.replace('imports', 'stances')}/undo", answer="nothing-to-take-back")
    ],
    "GET /v1/walkers": [Ask("/v1/walkers", {"area": "STREET-{x}"}, scope="area")],
    "GET /v1/rounds/{round:str}/assignments": [
        Ask("/v1/rounds/ROUND-{x}/assignments", {"area": "STREET-{x}"}, scope="area")
    ],
    "POST /v1/rounds/{round:str}/assignments": [
        Ask("/v1/rounds/ROUND-{x}/assignments",
            body={"area": "STREET-{x}", "login": "nobody", "due_at": "2199-01-01T00:00:00Z"},
            scope="area", answer="no-walker")
    ],
    "POST /v1/assignments/{task:uuid}/reassign": [
        Ask(f"{NONE.replace('imports', 'assignments')}/reassign",
            body={"login": "nobody", "due_at": "2199-01-01T00:00:00Z"}, answer="assignment-unknown")
    ],
    "POST /v1/assignments/{task:uuid}/withdraw": [
        Ask(f"{NONE.replace('imports', 'assignments')}/withdraw", answer="assignment-unknown")
    ],
    "GET /v1/rounds/{round:str}/closing": [Ask("/v1/rounds/ROUND-{x}/closing")],
}  # fmt: skip
