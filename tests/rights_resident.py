"""What is asked of residents' own pages by the tests of rights (see rights_table.py): they hold nothing of
anybody until a code and a second fact are known, and what is posted there is a form, never JSON.
"""

from tests.rights_laboratory import Ask

NO_FORM = "unsupported-type"
NOTHING = "00000000-0000-7000-8000-000000000000"
RESIDENT: dict[str, list[Ask]] = {
    "GET /r": [Ask("/r")],
    "GET /r/page.css": [Ask("/r/page.css")],
    "GET /r/page.js": [Ask("/r/page.js")],
    "GET /r/s/{site:str}": [Ask("/r/s/SITE-{x}", places=True)],
    "GET /r/result": [Ask("/r/result")],
    "POST /r/s/{site:str}": [Ask("/r/s/SITE-{x}", body={"name": "N"}, answer=NO_FORM)],
    "POST /r/codes": [Ask("/r/codes", body={}, answer=NO_FORM)],
    "POST /r/check": [Ask("/r/check", body={}, answer=NO_FORM)],
    "POST /r/result": [Ask("/r/result", body={}, answer=NO_FORM)],
    "POST /r/me": [Ask("/r/me", body={}, answer=NO_FORM)],
    "POST /r/home": [Ask("/r/home", body={}, answer=NO_FORM)],
    "GET /v1/home-sampling": [
        Ask("/v1/home-sampling", person="{p{x}5}"),
        Ask("/v1/home-sampling", {"area": "STREET-{x}"}, scope="area", person="{p{x}5}"),
        Ask("/v1/home-sampling", {"format": "csv"}, person="{p{x}5}"),
        Ask("/v1/home-sampling", {"reason": "door_to_door"}, person="{n}庄霜五", needs="unmask",
            whole=True),
    ],
    "POST /v1/keying/lines": [
        Ask("/v1/keying/lines", body={"lines": [{"name": "N", "building": "HOUSE-{x}"}]}, places=True)
    ],
    "POST /v1/home-sampling/{request_id:uuid}/close": [
        Ask(f"/v1/home-sampling/{NOTHING}/close", body={"outcome": "sampled"},
            answer="home-request-unknown"),
    ],
}  # fmt: skip
