"""What is asked about who carries it by the tests of rights; see rights_table."""

from tests.rights_laboratory import Ask

NO_FORM = "unsupported-type"
_TIMES = {"starts_at": "2199-08-02T06:00:00+08:00", "ends_at": "2199-08-02T12:00:00+08:00"}
WORKFORCE: dict[str, list[Ask]] = {
    "GET /v1/staff": [
        Ask("/v1/staff", person="{st{x}}"),
        Ask("/v1/staff", {"unit": "UNIT-{x}"}),
        Ask("/v1/staff", {"reason": "call_back"}, person="{n}庄霜十", needs="unmask", whole=True),
        Ask("/v1/staff", {"format": "csv"}),
    ],
    "POST /v1/demands": [
        Ask("/v1/demands", body={"area": "STREET-{x}", "role": "caller", "count": 1, **_TIMES}, scope="area"),
        Ask("/v1/demands", body={"area": "CITY", "role": "caller", "count": 1, **_TIMES}, scope="everywhere"),
    ],
    "GET /v1/call-ups": [Ask("/v1/call-ups", code="CALL-{x}")],
    "POST /v1/call-ups": [
        Ask("/v1/call-ups", body={"name": "N", "demands": ["{dm{x}}"]}, scope="area"),
        Ask("/v1/call-ups", body={"name": "N", "demands": ["{dm{x}}"], "units": ["UNIT-{x}"]}, scope="area"),
    ],
    "GET /v1/call-ups/{call_up:str}": [Ask("/v1/call-ups/{cu{x}}", scope="area", code="STREET-{x}")],
    "GET /v1/call-ups/{call_up:str}/telephone-list": [
        Ask("/v1/call-ups/{cu{x}}/telephone-list", scope="area", person="{st{x}}"),
        Ask("/v1/call-ups/{cu{x}}/telephone-list", {"reason": "call_back"}, scope="area", person="00008888",
            needs="unmask", whole=True),
    ],
    "POST /v1/call-ups/{call_up:str}/top-up": [Ask("/v1/call-ups/{cu{x}}/top-up", scope="area")],
    "POST /v1/call-ups/{call_up:str}/stop": [Ask("/v1/call-ups/{cu{x}}/stop", scope="area")],
    "POST /v1/summons/{summons:uuid}/answer": [
        Ask("/v1/summons/{su{x}}/answer", body={"answer": "accepted"}, scope="area")
    ],
    "GET /v1/posts/at-risk": [
        Ask("/v1/posts/at-risk"),
        Ask("/v1/posts/at-risk", {"area": "STREET-{x}"}, scope="area"),
    ],
    "GET /v1/demands/{demand:uuid}/fills": [Ask("/v1/demands/{dm{x}}/fills", scope="area")],
    "GET /v1/demands/{demand:uuid}/postings": [
        Ask("/v1/demands/{dm{x}}/postings", scope="area", person="{st{x}}")
    ],
    "POST /v1/demands/{demand:uuid}/postings": [
        Ask("/v1/demands/{dm{x}}/postings", body={"staff": "{st{x}}", "overridden": ["too_long"]},
            answer="reason-missing")
    ],
    "POST /v1/postings/{posting:uuid}/free": [
        Ask("/v1/postings/{po{x}}/free", body={"why": "mistake"}, scope="area")
    ],
    "POST /v1/postings/{posting:uuid}/arrive": [Ask("/v1/postings/{pa{x}}/arrive", scope="area")],
    "POST /v1/postings/{posting:uuid}/relieve": [
        Ask("/v1/postings/{pr{x}}/relieve", body={}, scope="area")
    ],
    # Behind links: without the keyed code there is nothing.
    "GET /r/w/{code:str}": [Ask("/r/w/none", answer="404")],
    "POST /r/w/{code:str}": [Ask("/r/w/none", body={}, answer=NO_FORM)],
    "GET /r/at/{code:str}": [Ask("/r/at/none", answer="404")],
    "POST /r/at/{code:str}": [Ask("/r/at/none", body={}, answer=NO_FORM)],
}  # fmt: skip
