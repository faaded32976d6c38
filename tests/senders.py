"""What phones send, and a real server on a loopback port to send it to.

`items` turns the tables of tests/table.py into the JSON of an upload; `visit` plays a story that
has an open Muster and an HTTP client.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpx
import msgspec

from muster.access import events as access
from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.cli.running import serving
from muster.config import Rates
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.verify import verify
from muster.ledger.event import Body, Event
from tests.conftest import Play
from tests.table import events

Item = dict[str, Any]
# Which events the tests sent: all but those that made accounts and devices to send them with.
SENT = "type <> ALL ('{{{}}}')".format(
    ",".join(
        name
        for name, type_ in Body.types.items()
        if type_.__module__ == access.__name__ and not name.startswith("Held")
    )
)
Visit = Callable[[Instance, httpx.AsyncClient], Awaitable[Any]]


def client(address: str, token: str = "") -> httpx.AsyncClient:
    """A client that asks with a device's token, or as nobody."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=address, trust_env=False, timeout=60, headers=headers)


def token_of(http: httpx.AsyncClient) -> str:
    """The device's token a client asks with."""
    return http.headers["authorization"].removeprefix("Bearer ")


async def tester(muster: Instance) -> str:
    """The token of a system that answers for whoever it names, and may ask and decide as a command
    post and a laboratory do."""
    return await Crew(muster).gateway(
        "tester", Grant("command_post", everywhere=True), Grant("lab_releaser", lab="L1")
    )


async def command_post(muster: Instance) -> str:
    """The token of a second command post, who decides about what the tester sent."""
    crew = Crew(muster)
    await crew.staff("chief", Grant("command_post", everywhere=True))
    return await crew.device("chief-phone", holder="chief")


async def administrator(muster: Instance) -> str:
    """The token of a system that an administrator has set up; it sees nobody's data."""
    crew = Crew(muster)
    await crew.staff("keeper", Grant("administrator", everywhere=True))
    return await crew.device("keeper-1", holder="keeper", kind="gateway")


def visit(play: Play, story: Visit, *, clean: bool = True) -> None:
    """Play a story at a served Muster. In the end nothing is wrong with the ledger."""

    async def inside(muster: Instance) -> None:
        token = await tester(muster)
        async with (
            serving(muster, rates=Rates(0, 0, 0)) as (_, address),
            client(address, token) as http,
        ):
            await story(muster, http)
        if clean:
            async with muster.pool.connection() as conn:
                assert await verify(conn, CATALOGUE) == []

    play(inside)


def items(table: str) -> list[Item]:
    """The events of a table as a phone writes them."""
    return [item(event) for event in events(table)]


def item(event: Event) -> Item:
    envelope = {
        "id": event.id, "type": event.type, "v": event.v, "subject": event.subject,
        "device_at": event.device_at, "actor": event.actor, "device": event.device,
        "device_seq": event.device_seq, "cause": event.cause, "body": event.body,
    }  # fmt: skip
    made = {"event": envelope, "identity": event.identity, "note": event.note}
    return msgspec.to_builtins({name: value for name, value in made.items() if value is not None})


def changed(one: Item, **facts: Any) -> Item:
    """The same item with other facts in its envelope."""
    return {**one, "event": {**one["event"], **facts}}


async def send(http: httpx.AsyncClient, sent: Iterable[Item], **upload: Any) -> list[Item]:
    """Upload items; the answers."""
    body = msgspec.json.encode({"items": list(sent), **upload})
    return (await post(http, body))["answers"]


async def post(http: httpx.AsyncClient, body: bytes, **headers: str) -> Any:
    answer = await http.post("/v1/events", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(answers: Sequence[Item]) -> list[str]:
    """`stored`, `known` or why an item is held."""
    return [one.get("why") or one["answer"] for one in answers]


async def query(muster: Instance, sql: str, *values: Any) -> list[Any]:
    """The rows of a query; of one column its values."""
    async with muster.pool.connection() as conn:
        rows = await (await conn.execute(sql.encode(), values)).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]
