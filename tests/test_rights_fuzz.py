"""Whatever is asked of any operation of the OpenAPI document, fit or unfit, by a street's command post, a
laboratory and a resident: the server does not fail, every answer is as documented, and none holds
anybody of the other street.
"""

import asyncio
import io
import zipfile
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from muster.instance import Instance
from tests.conftest import Play
from tests.scene_rights import Caller, callers, close, hidden, leaked, visit
from tests.table import named

EXAMPLES = 5  # of each operation and role
WHO = ("command-post.area", "lab-operator.lab", "resident.person")
CHECKS: list[Any] = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
LEFT_OUT = ("/v1/device/holder/leave",)  # then nobody asks with the device any more
KNOWN = (
    "pA1",
    "pB1",
    "pB4",
    "guest",
    "TA1",
    "TB1",
    "rA1",
    "rB1",
    "RA",
    "RB",
    "oB",
    "SB",
    "XB",
    "eB",
)
CODES = ("STREET-A", "STREET-B", "HOUSE-B", "CITY", "ROUND-B", "ROUND-CLOSED", "TUBE-B1", "LOST-B")
ids = st.sampled_from([str(named(one)) for one in KNOWN])
codes = st.sampled_from(CODES)


def test_no_answer_fails_or_leaks(play: Play):
    async def story(muster: Instance, address: str) -> None:
        everybody = await callers(muster, address, *WHO)
        for caller in everybody:
            asked = await asyncio.to_thread(ask_everything, address, caller)
            assert asked > 60 * EXAMPLES
        await close(*everybody)

    visit(play, story)


def ask_everything(address: str, caller: Caller) -> int:
    """Requests of every operation in the name of a caller; how many."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi/openapi.json")
    banned, asked = hidden(caller, whole=True), 0
    with requests.Session() as session:
        session.trust_env = False
        session.headers["authorization"] = f"Bearer {caller.token}"
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            if operation.path in LEFT_OUT:
                continue
            fit, unfit = (
                operation.as_strategy(mode)
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            )

            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                suppress_health_check=SLOW,
            )  # fmt: skip
            @given(case=st.one_of(fit, fit, unfit), id_=ids, code=codes)
            def answered(case: Any, id_: str, code: str) -> None:
                nonlocal asked
                asked += 1
                aim(case, id_, code)
                answer = case.call(base_url=address, session=session)
                case.validate_response(answer, checks=CHECKS)
                sent = f"{answer.request.url} {answer.request.body!r}"
                assert leaked(written(answer), {one for one in banned if one not in sent}) == []

            answered()
    return asked


def written(answer: Any) -> str:
    """Everything that stands in an answer, a workbook's sheets too."""
    if answer.content.startswith(b"\x89PNG"):
        return ""  # the picture of a page whose PDF is read
    if answer.content.startswith(b"%PDF"):
        pages = PdfReader(io.BytesIO(answer.content)).pages
        return "\n".join(page.extract_text() for page in pages)
    parts = [answer.content]
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            parts = [book.read(name) for name in book.namelist()]
    return b"\n".join(parts).decode() + str(answer.headers)


def aim(case: Any, id_: str, code: str) -> None:
    """Most parameters name something that is there."""
    for name, value in case.path_parameters.items():
        if name in ("person", "result", "objection", "inbox", "account", "holding", "session"):
            case.path_parameters[name] = id_
        elif name in ("tube", "round", "area", "device") and not isinstance(value, dict):
            case.path_parameters[name] = code if len(str(value)) % 2 else id_
    if isinstance(case.query, dict):
        for name in ("area", "parent"):
            if name in case.query:
                case.query[name] = code
