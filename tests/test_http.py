"""HTTP: every route answers, errors are problem details in the caller's language, lists page and
leave as files, and the document describes what is there.
"""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from muster.app import make_app
from muster.core.problems import Problem
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.senders import Item, items, said, send, visit
from tests.table import TOWN, events, named

P1, R1, T1, RESULT, NOBODY = (named(name) for name in ("p1", "R1", "T1", "r1", "nobody"))
SCENE = """
    07:00  UnitListed      U1  area=H1 code=U1 name=U1 kind=school
    07:00  SiteListed      X1  area=G1
    07:10  ResidentListed  q1  building=H1 name=张三 number=11010519491231002X phone=13800001111
    07:10  ResidentListed  q2  building=H2 name=张三 phone=13800001111
    08:20  TubeSealed      T1  members=p1,p2 round=R1 device=d1 seq=2
    08:30  TubeSealed      T2  members=p1,q1 round=R1
    12:00  ResultReleased  r1  barcode=T1 outcome=positive
    12:00  ResultReleased  r9  barcode=T9 outcome=positive
"""
DAY = {"starts_at": "2022-08-02T06:00:00+08:00", "ends_at": "2022-08-02T20:00:00+08:00"}
ROUND = {"name": "R2", "areas": ["G1"], **DAY}
POLICY = {"name": "tube_size", "value": 5, "since": "2199-01-01T00:00:00+08:00"}

# What is asked, of whom, and what comes: a status, or the slug of a problem.
GETS: list[tuple[str, dict[str, Any], Any]] = [
    ("/healthz", {}, 200),
    ("/readyz", {}, 200),
    ("/metrics", {}, 200),
    ("/openapi/openapi.json", {}, 200),
    ("/v1/vocabulary", {}, 200),
    ("/v1/problems", {}, 200),
    ("/v1/alarms", {}, 200),
    ("/v1/stalled", {}, 200),
    ("/v1/devices/gaps", {}, 200),
    ("/v1/rounds", {}, 200),
    ("/v1/duplicates", {}, 200),
    ("/v1/inbox", {}, 200),
    ("/v1/inbox", {"after": "x"}, "bad-cursor"),
    ("/v1/late", {}, 200),
    ("/v1/late", {"after": "x"}, "bad-cursor"),
    ("/v1/receipts", {"id": str(P1)}, 200),
    ("/v1/receipts", {"id": "x"}, "bad-request"),
    ("/v1/receipts", {}, "bad-request"),
    ("/v1/areas", {}, 200),
    ("/v1/areas", {"parent": "S1"}, 200),
    ("/v1/areas", {"parent": "nowhere"}, "area-unknown"),
    ("/v1/areas", {"parent": "S1", "limit": 0}, "bad-request"),
    ("/v1/areas", {"parent": "S1", "limit": 1_001}, "bad-request"),
    ("/v1/areas", {"parent": "S1", "format": "pdf"}, "bad-request"),
    ("/v1/areas", {"parent": "S1", "after": "WzFd"}, "bad-cursor"),
    ("/v1/areas/S1", {}, 200),
    (f"/v1/areas/{named('S1')}", {}, 200),
    ("/v1/areas/nowhere", {}, "area-unknown"),
    ("/v1/areas/%00", {}, "unfit-value"),
    ("/v1/people", {"area": "S1", "name": "zhang"}, 200),
    ("/v1/people", {"area": "S1", "name": "张", "after": "WzFd"}, "bad-cursor"),
    ("/v1/people", {"area": "S1", "name": "\0"}, 200),
    ("/v1/people", {"area": "\0", "name": "x"}, "unfit-value"),
    ("/v1/people", {"area": "S1"}, "bad-request"),
    (f"/v1/people/{P1}", {}, 200),
    (f"/v1/people/{NOBODY}", {}, "person-unknown"),
    ("/v1/people/p1", {}, "not-found"),
    (f"/v1/people/{P1}/results", {}, 200),
    (f"/v1/people/{NOBODY}/results", {}, 200),
    (f"/v1/people/{P1}/status", {}, 200),
    ("/v1/people/p1/status", {}, "not-found"),
    ("/v1/units", {}, 200),
    ("/v1/units", {"after": "WzFd"}, "bad-cursor"),
    ("/v1/sites", {}, 200),
    ("/v1/sites", {"after": "bnVsbA"}, "bad-cursor"),
    ("/v1/policies/tube-size", {"area": "H1"}, 200),
    ("/v1/policies/tube-size", {"at": "soon"}, "bad-request"),
    ("/v1/tubes/T1", {}, 200),
    (f"/v1/tubes/{T1}", {}, 200),
    ("/v1/tubes/nothing", {}, "tube-unknown"),
    ("/v1/anomalies", {}, 200),
    ("/v1/anomalies", {"after": "WyJhIl0"}, "bad-cursor"),
    ("/v1/recalls", {"recall_state": "open"}, 200),
    ("/v1/recalls", {"recall_state": "lost"}, "bad-request"),
    ("/v1/recalls", {"after": "WyJ4IiwieSJd"}, "bad-cursor"),
    ("/v1/conflicts", {}, 200),
    ("/v1/results/waiting", {}, 200),
    ("/v1/rounds/R1/funnel", {"area": "S1", "level": "grid"}, 200),
    ("/v1/rounds/R1/funnel", {"area": "S1", "level": "planet"}, "bad-request"),
    ("/v1/rounds/R9/funnel", {"area": "S1"}, "round-unknown"),
    ("/v1/rounds/R1/missing", {"area": "S1"}, 200),
    ("/v1/rounds/R1/missing", {"area": "S1", "after": "W10"}, "bad-cursor"),
    ("/v1/rounds/R1/missing", {"area": "nowhere"}, "area-unknown"),
    ("/v1/rounds/R1/balance", {}, 200),
    ("/v1/rounds/R9/balance", {}, "round-unknown"),
    ("/v1/station", {}, 200),
    ("/v1/labs/L1/open-counts", {}, 200),
    ("/v1/labs/L1/to-sign", {}, 200),
    ("/v1/labs/L2/to-sign", {}, "outside-your-lab"),
    ("/v1/labs/L1/samples/T1", {}, "tubes-not-received"),
    ("/v1/labs/L1/samples/%07", {}, "barcode-unreadable"),
    ("/v1/labs/L1/free-plates/P1", {}, 200),
    ("/nothing", {}, "not-found"),
    ("/v1/rounds/R1/close", {}, "method-not-allowed"),
    ("/v1/events", {}, "method-not-allowed"),
]
POSTS: list[tuple[str, Any, Any]] = [
    ("/v1/events", {"items": []}, 200),
    ("/v1/inbox/retry", None, 200),
    ("/v1/rounds", ROUND, 201),
    ("/v1/rounds", {**ROUND, "areas": []}, "bad-request"),
    ("/v1/rounds", {**ROUND, "areas": ["nowhere"]}, "area-unknown"),
    ("/v1/rounds", {**ROUND, "name": ""}, "bad-request"),
    ("/v1/rounds", {**ROUND, "actor": "tester"}, "bad-request"),
    ("/v1/rounds", {**ROUND, "starts_at": "2022-08-02T06:00:00"}, "bad-request"),
    ("/v1/rounds", {**ROUND, "ends_at": "9999-12-31T23:59:59-08:00"}, "not-recordable"),
    ("/v1/rounds", {**ROUND, "ends_at": DAY["starts_at"]}, "round-ends-before-start"),
    ("/v1/rounds/R1/close", {}, "round-still-open"),
    ("/v1/rounds/R9/close", {}, "round-unknown"),
    ("/v1/rounds/R2/close", {"allow_open": True}, 200),
    ("/v1/rounds/R2/close", {}, "round-already-closed"),
    ("/v1/policies", POLICY, 201),
    ("/v1/policies", {**POLICY, "value": 0}, "bad-request"),
    ("/v1/policies", {**POLICY, "since": "2199-01-01T00:00:00"}, "bad-request"),
    ("/v1/policies", {**POLICY, "since": "2001-01-01T00:00:00Z"}, "policy-in-the-past"),
    ("/v1/policies", {**POLICY, "area": "nowhere"}, "area-unknown"),
    (f"/v1/people/{named('q2')}/merge", {"into": str(named("q1"))}, 204),
    (f"/v1/people/{named('q2')}/merge", {"into": str(named("q1"))}, "same-person"),
    (f"/v1/people/{named('q2')}/unmerge", {}, 204),
    (f"/v1/people/{named('q2')}/unmerge", {}, "not-merged"),
    (f"/v1/people/{P1}/merge", {}, "bad-request"),
    (f"/v1/results/{RESULT}/bind", {"tube": str(named("T2"))}, "not-a-candidate"),
    (f"/v1/results/{RESULT}/bind", {"tube": str(T1)}, 204),
    (f"/v1/results/{RESULT}/amend", {"outcome": "negative", "reason": "clerical"}, 200),
    (f"/v1/results/{RESULT}/reject", {"reason": "wrong_tube"}, 200),
    (f"/v1/results/{NOBODY}/reject", {"reason": "other"}, "result-unknown"),
    (f"/v1/results/{RESULT}/reject", {"reason": "mood"}, "bad-request"),
    ("/v1/areas", {}, "method-not-allowed"),
]


# The last words of the paths that are posted to without a body.
WITHOUT_BODY = (
    "retry", "accept", "unmerge", "code", "reinstate", "leave", "totp", "recovery-codes", "options",
    "emptied", "agree", "set-aside", "acknowledge",
    "check", "start", "stop", "withdraw", "reproduce", "top-up", "arrive", "break", "work-again", "stay", "dissolve",
    "{number}",  # a piece of a file: bytes, not a document
)  # fmt: skip


BARE = ("/v1/stances/{event}/undo", "/v1/history/{event}/undo", "/v1/imports/{import_}/discard")


def check(answer: httpx.Response, wanted: Any, language: str) -> None:
    if isinstance(wanted, int):
        assert answer.status_code == wanted, answer.text
        return
    problem, type_ = answer.json(), Problem.catalogue[wanted]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == language
    assert problem["type"] == f"urn:muster:problem:{wanted}"
    assert problem["status"] == answer.status_code == type_.status
    text = type_.zh if language == "zh" else " ".join((type_.__doc__ or "").split())
    assert problem["detail"] == text.format_map(problem["facts"])
    assert set(problem) == {"type", "title", "status", "detail", "facts"}


def test_every_route_answers(play: Play):
    """Good questions and bad ones, in both languages."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        assert said(await send(http, items(SCENE))) == ["stored"] * 8
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
        for language in ("en", "zh"):
            http.headers["accept-language"] = f"{language}-CN,*;q=0.5"
            for path, params, wanted in GETS:
                check(await http.get(path, params=params), wanted, language)
        for path, body, wanted in POSTS:
            check(await http.post(path, json=body), wanted, "zh")
        for path in ("/v1/rounds", "/v1/policies"):
            for content in (b"", b"{", b"\xff", b"[]"):
                check(await http.post(path, content=content), "bad-request", "zh")

    visit(play, story)


def fits(path: str, route: str) -> bool:
    parts, pieces = path.split("/"), route.split("/")
    return len(parts) == len(pieces) and all(
        one == other or other.startswith("{") for one, other in zip(parts, pieces, strict=True)
    )


def test_what_may_be_done_instead(play: Play):
    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        answer = await http.put("/v1/rounds")
        assert answer.status_code == 405
        assert {word.strip() for word in answer.headers["allow"].split(",")} == {
            "GET", "POST", "OPTIONS"
        }  # fmt: skip

    visit(play, story)


PAGED = [
    ("/v1/areas", {"parent": "S9"}, "code", lambda n: f"07:00 AreaListed B{n} parent=S9"),
    ("/v1/units", {}, "code",
     lambda n: f"07:00 UnitListed U{n} area=S9 code=U{n} name=U kind=shop"),
    ("/v1/sites", {}, "code", lambda n: f"07:00 SiteListed X{n} area=S9"),
    ("/v1/people", {"area": "S9", "name": "张"}, "resident",
     lambda n: f"07:00 ResidentListed q{n} building=HQ name=张{n}"),
    ("/v1/rounds/R9/missing", {"area": "S9"}, "resident",
     lambda n: f"07:00 ResidentListed m{n} building=HM room={n}"),
    ("/v1/anomalies", {}, "key", lambda n: f"08:00 TubeSealed E{n} members="),
    ("/v1/results/waiting", {}, "result",
     lambda n: f"12:00 ResultReleased w{n} barcode=W{n} outcome=negative"),
    ("/v1/recalls", {}, "recall",
     lambda n: f"08:20 TubeSealed V{n} members=v{n}\n"
               f"12:00 ResultReleased v{n} barcode=V{n} outcome=positive"),
    ("/v1/conflicts", {}, "result",
     lambda n: f"08:20 TubeSealed K{n} members=k{n}\n"
               f"12:00 ResultReleased k{n}a barcode=K{n} outcome=invalid\n"
               f"12:00 ResultReleased k{n}b barcode=K{n} outcome=negative\n"
               f"12:00 ResultReleased k{n}c barcode=K{n} outcome=indeterminate"),
    ("/v1/inbox", {}, "id", None),
]  # fmt: skip
GROUND = """
    07:00  AreaListed   S9  level=street
    07:00  AreaListed   HQ  parent=S9
    07:00  AreaListed   HM  parent=S9
    07:30  RoundOpened  R9  areas=S9
"""


async def walk(http: httpx.AsyncClient, path: str, **params: Any) -> list[list[Item]]:
    """The pages of a list."""
    pages, after = [], {}
    while True:
        page = (await http.get(path, params={**params, **after, "limit": 7})).json()
        pages.append(page["items"])
        if page["next"] is None:
            return pages
        after = {"after": page["next"]}
        await asyncio.sleep(0)


@pytest.mark.parametrize(("path", "params", "key", "row"), PAGED, ids=[one[0] for one in PAGED])
def test_a_list_is_walked_without_gap_or_double_while_it_grows(
    play: Play, path: str, params: dict[str, Any], key: str, row: Any
):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(GROUND))
        numbers = iter(range(10, 200))

        async def more(uploads: int) -> None:
            for _ in range(uploads):
                new = [next(numbers) for _ in range(6)]
                sent = items("\n".join(map(row, new))) if row else [{"event": n} for n in new]
                assert {one["answer"] for one in await send(http, sent)} <= {"stored", "held"}
            async with muster.pool.connection() as conn:
                await catch_up(conn, muster.door.catalogue)

        await more(4)
        before = [one[key] for page in await walk(http, path, **params) for one in page]
        walking = asyncio.create_task(walk(http, path, **params))
        await more(4)
        pages = await walking
        assert [len(page) for page in pages[:-1]] == [7] * (len(pages) - 1)
        seen = [one[key] for page in pages for one in page]
        assert len(seen) == len(set(seen))
        assert set(before) <= set(seen)
        after = [one[key] for page in await walk(http, path, **params) for one in page]
        assert [one for one in after if one in before] == before
        assert len(after) >= 48

    visit(play, story)


def test_a_list_leaves_as_a_file(play: Play):
    """The whole list, whatever the limit; formulas are harmless, long numbers stay text."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        (unit,) = items("07:00  UnitListed  U2  area=H1 code=001234567890123 name=U kind=shop")
        unit["event"]["body"]["name"] = "=1+1"
        await send(http, [*items("07:00 UnitListed U1 area=H1 code=U1 name=U kind=shop"), unit])
        path, rows = "/v1/units", (await http.get("/v1/units")).json()["items"]
        answer = await http.get(path, params={"format": "csv", "limit": 1})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="units.csv"'
        header, *lines, (mark,) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert header == list(rows[0])
        assert "tester" in mark
        name = header.index("name")
        assert [line[name] for line in lines] == ["'=1+1", "U"]
        answer = await http.get(path, params={"format": "xlsx", "limit": 1})
        assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            assert (sheet.count("<row "), sheet.count("<f>")) == (4, 0)
            assert "<t>001234567890123</t>" in sheet
        empty = await http.get("/v1/sites", params={"format": "csv"})
        assert (empty.status_code, len(empty.text.splitlines())) == (200, 2)

    visit(play, story)


def references(node: Any) -> Iterator[str]:
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if name == "$ref":
            yield value
        elif isinstance(value, dict | list):
            yield from references(value)


def test_the_document_is_complete(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        document = (await http.get("/openapi/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        schemas = document["components"]["schemas"]
        assert {ref.rpartition("/")[2] for ref in references(document)} == set(schemas)
        operations = {
            (method, path): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        served = {
            (method.lower(), route.path_format)
            for route in make_app(muster).routes
            for method in getattr(route, "methods", set()) - {"OPTIONS"}
            if not route.path.startswith("/openapi")
        }
        assert set(operations) == served
        for (method, path), operation in operations.items():
            assert operation["description"], path
            assert ("requestBody" in operation) == (
                method in ("post", "put")
                and path.rpartition("/")[2] not in WITHOUT_BODY
                and path not in BARE
                and not path.startswith("/r/")  # forms, not documents
            )
            problem = operation["responses"]["default"]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}
            named_ = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert named_ == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        vocabulary = (await http.get("/v1/vocabulary")).json()
        assert {"TubeSealed", "ResultReleased"} <= set(vocabulary["types"])
        assert {ref.rpartition("/")[2] for ref in references(vocabulary)} <= set(
            vocabulary["components"]["schemas"]
        )

    visit(play, story)


def test_metrics(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        before = muster.door.head.seq
        await muster.door.append(events(TOWN))
        assert said(await send(http, items(SCENE))) == ["stored"] * 8
        await http.get("/v1/areas/nowhere")
        text = (await http.get("/metrics")).text
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        head = muster.door.head.seq
        assert samples["muster_ledger_head_seq",] == head == before + 24
        assert samples["muster_door_events_stored",] == head
        assert samples["muster_requests_total", "POST", "200"] == 1
        assert samples["muster_requests_total", "GET", "404"] == 1
        assert samples["muster_request_seconds_count",] == 2
        assert samples["muster_alarms", "positive_without_tube"] == 1
        assert samples["muster_device_gaps",] == 1

    visit(play, story)


def test_the_catalogue_of_problems(play: Play):
    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        found = (await http.get("/v1/problems")).json()
        assert [one["slug"] for one in found] == sorted(Problem.catalogue)
        assert all(400 <= one["status"] < 600 for one in found)
        assert json.dumps(found, ensure_ascii=False).count("采样管") > 1

    visit(play, story)
