"""Whatever is asked, the server answers: requests made from the OpenAPI document, fit and unfit, get
an answer below 500, and every error is problem details.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.core.problems import Problem
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.senders import administrator, items, send, token_of, visit
from tests.table import TOWN, events, named
from tests.test_http import SCENE

EXAMPLES = 600
IDS = [str(named(name)) for name in ("p1", "q1", "R1", "T1", "r1", "S1", "nobody")]
WORDS = [
    "S1",
    "G1",
    "R1",
    "T1",
    "张",
    "zs",
    "",
    " ",
    "\0",
    "\ufeff",
    "𠮷",
    "../x",
    "%",
    "WzFd",
    "[]",
]
TIMES = [
    "2022-08-01T08:00:00+08:00", "2022-08-01T08:00:00", "0001-01-01T00:00:00+08:00",
    "9999-12-31T23:59:59-08:00", "2022-02-30T00:00:00Z", "soon", "0",
]  # fmt: skip
texts = st.sampled_from([*IDS, *WORDS, *TIMES]) | st.text(max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


class Document:
    """The OpenAPI document, as strategies."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.schemas = document["components"]["schemas"]
        self.operations = [
            (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def requests(self) -> st.SearchStrategy[tuple[str, str, dict[str, Any], Any]]:
        """(method, path, query, body) of any operation."""
        return st.one_of([self._request(*operation) for operation in self.operations])

    def _request(self, method: str, path: str, operation: dict[str, Any]) -> Any:
        query, parts = {}, {}
        for one in operation.get("parameters", ()):
            values = self.fit(one["schema"]) | texts
            (parts if one["in"] == "path" else query)[one["name"]] = values
        body: Any = st.none()
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]
            body = self.fit(content.get("application/json", {"schema": {}})["schema"])
        return st.tuples(
            st.just(method), st.just(path), st.fixed_dictionaries(parts),
            st.fixed_dictionaries({}, optional=query), st.one_of(body, body, anything),
        )  # fmt: skip

    def fit(self, schema: dict[str, Any]) -> Any:
        """Values that fit a schema, and some of the right type only."""
        if "$ref" in schema:
            return self.fit(self.schemas[schema["$ref"].rpartition("/")[2]])
        if "oneOf" in schema:
            return st.one_of([self.fit(one) for one in schema["oneOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        match schema.get("type"):
            case "integer":
                return st.integers(1, 1_000) | st.integers()
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case "array":
                return st.lists(self.fit(schema["items"]), max_size=3)
            case "object":
                fields = {key: self.fit(one) for key, one in schema.get("properties", {}).items()}
                needed = {key: fields.pop(key, anything) for key in schema.get("required", ())}
                return st.fixed_dictionaries(needed, optional=fields)
            case "string" if schema.get("format") == "uuid":
                return st.sampled_from(IDS)
            case "string" if schema.get("format") == "date-time":
                return st.sampled_from(TIMES)
            case "string":
                return texts
        return anything


def test_no_request_fails_the_server(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        await send(http, items(SCENE))
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
        keeper = await administrator(muster)
        document = Document((await http.get("/openapi/openapi.json")).json())
        await asyncio.to_thread(ask, document, str(http.base_url), [token_of(http), keeper])
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)  # what was stored can be read

    visit(play, story)


def ask(document: Document, address: str, tokens: list[str]) -> None:
    """By whoever may decide about rounds and people, and by whoever keeps accounts and devices."""
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as http:

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )  # fmt: skip
        @given(request=document.requests(), token=st.sampled_from(tokens))
        def answered(request: Any, token: str) -> None:
            method, path, parts, query, body = request
            path = path.format(**{key: quote(str(one), safe="") for key, one in parts.items()})
            with http.stream(
                method, path, params=query, json=body, headers={"authorization": f"Bearer {token}"}
            ) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    return  # it goes on for as long as somebody listens
                answer.read()
            assert answer.status_code < 500, (method, path, query, body, answer.text)
            page = path.startswith("/r/") and answer.headers["content-type"].startswith("text/html")
            if answer.status_code >= 400 and not page:  # residents' pages tell people, not programs
                assert answer.headers["content-type"] == "application/problem+json"
                slug = answer.json()["type"].removeprefix("urn:muster:problem:")
                assert Problem.catalogue[slug].status == answer.status_code

        answered()
