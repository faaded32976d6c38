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
}  # fmt: skip
