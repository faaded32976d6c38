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
    "GET /v1/clocks": [
        Ask("/v1/clocks", {"area": "STREET-{x}"}, scope="area"),
        Ask("/v1/clocks", {"area": "CITY"}, scope="everywhere"),
    ],
    "POST /v1/postings/{posting:uuid}/break": [Ask("/v1/postings/{ps{x}}/break", scope="area")],
    "POST /v1/postings/{posting:uuid}/work-again": [Ask("/v1/postings/{ps{x}}/work-again", scope="area")],
    "POST /v1/postings/{posting:uuid}/relief": [
        Ask("/v1/postings/{ps{x}}/relief", body={"why": "tired"}, scope="area")
    ],
    "POST /v1/postings/{posting:uuid}/stay": [Ask("/v1/postings/{ps{x}}/stay", scope="area")],
    "POST /v1/postings/{posting:uuid}/hand-over": [
        Ask("/v1/postings/{ps{x}}/hand-over", body={"to": "{po{x}}"}, scope="area", answer="handed-to-nobody")
    ],
    "GET /v1/postings/{posting:uuid}/hand-over": [Ask("/v1/postings/{ps{x}}/hand-over", scope="area")],
    "GET /v1/incidents": [Ask("/v1/incidents", person="{st{x}}")],
    "POST /v1/incidents": [
        Ask("/v1/incidents", body={"posting": "{ps{x}}", "kind": "injury"}, scope="area")
    ],
    "POST /v1/incidents/{incident:uuid}/clear": [
        Ask("/v1/incidents/{in{x}}/clear", body={}, scope="area")
    ],
    "GET /v1/gaps/{kind:str}": [
        Ask("/v1/gaps/no_owner", {"area": "STREET-{x}"}, scope="area"),
        Ask("/v1/gaps/no_police", {"area": "CITY"}, scope="everywhere"),
    ],
    "GET /v1/leads": [Ask("/v1/leads", {"area": "STREET-{x}"}, scope="area", person="{st{x}}")],
    "POST /v1/leads": [
        Ask("/v1/leads", body={"part": "chief", "area": "STREET-{x}", "staff": "{st{x}}"}, scope="area")
    ],
    "GET /v1/owners": [Ask("/v1/owners", {"area": "STREET-{x}"}, scope="area", person="{st{x}}")],
    "POST /v1/owners": [
        Ask("/v1/owners", body={"area": "STREET-{x}", "staff": "{st{x}}"}, scope="area"),
        Ask("/v1/owners", body={"area": "CITY"}, scope="everywhere"),
    ],
    "POST /v1/postings/{posting:uuid}/work": [
        Ask("/v1/postings/{pw{x}}/work", body={"what": "w"}, scope="area")
    ],
    "POST /v1/staff/{staff:uuid}/proofs": [
        Ask("/v1/staff/{st{x}}/proofs", body={"skill": "s", "issuer": "i", "on": "2022-07-01"}, scope="area")
    ],
    "GET /v1/heat": [Ask("/v1/heat", {"area": "STREET-{x}"}, scope="area")],
    "POST /v1/heat": [
        Ask("/v1/heat", body={"area": "STREET-{x}", "decidegrees": 360}, scope="area")
    ],
    # Behind links: without the keyed code there is nothing.
    "GET /r/w/{code:str}": [Ask("/r/w/none", answer="404")],
    "POST /r/w/{code:str}": [Ask("/r/w/none", body={}, answer=NO_FORM)],
    "GET /r/at/{code:str}": [Ask("/r/at/none", answer="404")],
    "POST /r/at/{code:str}": [Ask("/r/at/none", body={}, answer=NO_FORM)],
}  # fmt: skip
