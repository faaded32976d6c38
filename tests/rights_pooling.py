"""What is asked about pooling by the tests of rights; see rights_table. Nothing of a place is in it."""

from tests.rights_laboratory import Ask

POOLING: dict[str, list[Ask]] = {
    "GET /v1/pooling/design": [Ask("/v1/pooling/design", {"prevalence": "0.01", "stages": "10,1"})],
    "GET /v1/pooling/advice": [
        Ask("/v1/pooling/advice", {"pools": "10:500:1"}),
        Ask(
            "/v1/pooling/advice",
            {"area": "STREET-{x}", "round": "{R{x}}"},
            scope="area",
            needs="funnel",
        ),
        Ask(
            "/v1/pooling/advice",
            {"area": "CITY"},
            scope="everywhere",
            needs="funnel",
            answer="nothing-tested",
        ),
    ],
    "GET /v1/pooling/prevalence": [Ask("/v1/pooling/prevalence", {"pools": "10:500:1"})],
    "GET /v1/pooling/ct-shift": [
        Ask("/v1/pooling/ct-shift", {"members": "10", "tube_ml": "6", "single_ml": "3"})
    ],
    "POST /v1/pooling/decode": [
        Ask("/v1/pooling/decode", body={"design": "1,0\n1,1", "ct": "30\n30"})
    ],
}
