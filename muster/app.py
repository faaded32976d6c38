"""The HTTP application: every domain's handlers around one running Muster."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Litestar, MediaType, Response, Router, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Reference,
    Schema,
)
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from muster import __version__
from muster.access import api as access
from muster.access import device_api, reading_api
from muster.access.engine.scope import Scope as Sight
from muster.config import BODY_LIMIT_BYTES, SLICES_AT_ONCE
from muster.console import api as console
from muster.core.problems import Problem
from muster.core.together import Together
from muster.coverage import api as coverage
from muster.coverage.live import Glances
from muster.coverage.queries import alarms
from muster.custody import api as custody
from muster.custody import labels_api
from muster.desk import api as desk
from muster.field import api as field
from muster.guarding import Principals, check_rights, forgetting, guard
from muster.hardening import sign_in_turns
from muster.hq import api as hq
from muster.hq import reports_api
from muster.instance import Instance
from muster.intake import api as intake
from muster.intake import import_api, queue_api
from muster.lab import api as lab
from muster.lab import bench_api, figures_api, lab_api, pooling_api, reception_api, station_api
from muster.lab.queries import results_of, visible
from muster.papers import api as papers
from muster.registry import api as registry
from muster.registry import own_api as own
from muster.resident import api as resident
from muster.resident.reading import Near
from muster.sampling import api as sampling
from muster.sampling import photo_api
from muster.sampling.queries import device_gaps
from muster.showing import RESULTS, note_each
from muster.teams import aid_api, paper_api
from muster.teams import api as teams
from muster.visits import api as visits
from muster.web import CSV, PROBLEM, XLSX, Ask, muster, problem_response
from muster.workforce import api as workforce

_OWN = frozenset({UUID(int=0)})  # stands for "each about themselves"


def make_app(instance: Instance, also: Sequence[HTTPRouteHandler] = ()) -> Litestar:
    """The application of an open Muster; whoever opened it closes it. `also`: handlers of one server only."""
    metrics, principals = _Metrics(), Principals(instance)

    async def results(asked: Sequence[tuple[Sight, UUID]]) -> list[list[dict[str, Any]]]:
        """Answers in order; those who see the same, and all who ask about themselves, are answered by
        one query each."""
        groups: dict[Sight, list[int]] = {}
        for number, (scope, person) in enumerate(asked):
            about_self = scope == Sight(own=scope.own, login=scope.login, device=scope.device)
            if about_self and person not in scope.own:
                continue
            groups.setdefault(Sight(own=_OWN) if about_self else scope, []).append(number)
        found: list[list[dict[str, Any]]] = [[] for _ in asked]
        for scope, numbers in groups.items():
            people = {asked[number][1] for number in numbers}
            sight = Sight(own=frozenset(people)) if scope.own is _OWN else scope
            async with instance.readers.scoped(sight) as conn:
                people &= await visible(conn, sorted(people))
            numbers = [number for number in numbers if asked[number][1] in people]
            async with instance.pool.connection() as conn:
                answers = await results_of(conn, [asked[number][1] for number in numbers])
                shown = [asked[n] for n, answer in zip(numbers, answers, strict=True) if answer]
                if shown:
                    await note_each(conn, RESULTS, shown)
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer
        return found

    app = Litestar(
        route_handlers=[
            *intake.HANDLERS, *queue_api.HANDLERS, *import_api.HANDLERS,
            *registry.HANDLERS, *own.HANDLERS, *reading_api.HANDLERS,
            *sampling.HANDLERS, *photo_api.HANDLERS, *lab.HANDLERS, *reception_api.HANDLERS,
            *bench_api.HANDLERS, *lab_api.HANDLERS, *station_api.HANDLERS,
            *figures_api.HANDLERS, *pooling_api.HANDLERS,
            *custody.HANDLERS, *coverage.HANDLERS, *visits.HANDLERS, *hq.HANDLERS,
            *reports_api.HANDLERS, *labels_api.HANDLERS, *papers.HANDLERS,
            *access.HANDLERS, *device_api.HANDLERS,
            *desk.HANDLERS, *console.HANDLERS, *field.HANDLERS, *resident.HANDLERS,
            *workforce.HANDLERS, *teams.HANDLERS, *aid_api.HANDLERS, *paper_api.HANDLERS,
            show_health, show_readiness, show_metrics, list_problems, *also,
        ],
        state=State(
            {
                "muster": instance, "principals": principals,
                "results": Together(results), "metrics": metrics, "glances": Glances(instance),
                "slices": asyncio.Semaphore(SLICES_AT_ONCE),
                "near": Near(),
            }
        ),
        exception_handlers={Exception: problem_response},  # type: ignore[dict-item]
        guards=[guard],
        middleware=[metrics.middleware, forgetting(principals), sign_in_turns],
        request_max_body_size=BODY_LIMIT_BYTES,
        logging_config=None,  # ours is structured and names no values
        # The document only: the interactive pages would load scripts from elsewhere.
        openapi_config=OpenAPIConfig(
            use_handler_docstrings=True,
            title="Muster", version=__version__, render_plugins=[JsonRenderPlugin()],
            openapi_router=Router(
                "/openapi", route_handlers=[], opt={"right": "public"}, include_in_schema=False
            ),
            description="Every fact and decision comes in as an event; everything else is a view.",
        ),
    )  # fmt: skip
    check_rights(app)
    _describe(app)
    return app


_PAPERS = {
    "pdf": "application/pdf", "png": "image/png", "csv": CSV, "xlsx": XLSX, "json": "application/json",
    "html": "text/html",
}  # fmt: skip


def _describe(app: Litestar) -> None:
    """In the OpenAPI document: any operation may answer a problem, lists leave as files too."""
    problem = OpenAPIMediaType(Reference("#/components/schemas/ProblemDetails"))
    page = OpenAPIMediaType(Reference("#/components/schemas/Page"))
    text = OpenAPIMediaType(Schema(type=OpenAPIType.STRING))
    operations = (
        (path, one)
        for path, item in (app.openapi_schema.paths or {}).items()
        for one in (item.get, item.post, item.put, item.delete)
        if one
    )
    for path, one in operations:
        responses = {
            status: response
            for status, response in (one.responses or {}).items()
            if status[0] == "2" or PROBLEM in (getattr(response, "content", None) or {})
        }
        formats = [p for p in one.parameters or () if getattr(p, "name", "") == "format"]
        offered = [
            kind
            for p in formats
            for kind in getattr(getattr(p, "schema", None), "enum", None) or ()
        ]
        if "pdf" in offered:
            files = {_PAPERS[kind]: OpenAPIMediaType() for kind in offered}
            responses["200"] = OpenAPIResponse("a file of this format", content=files)
        elif formats:
            content = {
                "application/json": _listed(responses.get("200")) or page,
                CSV: text,
                XLSX: text,
            }
            responses["200"] = OpenAPIResponse(
                "a page, or the whole list as a file", content=content
            )
        told = {PROBLEM: problem}
        if path.startswith("/r/"):  # residents' pages say what is wrong to people
            told["text/html"] = text
        responses["default"] = OpenAPIResponse("a problem", content=told)
        one.responses = responses


def _listed(answer: Any) -> OpenAPIMediaType | None:
    """What a list answers as JSON; the file beside it has no schema, so anything would fit it as well."""
    found = (getattr(answer, "content", None) or {}).get("application/json")
    schema = found and found.schema
    for one in getattr(schema, "one_of", None) or ():
        if isinstance(one, Reference) or one.to_schema():
            return OpenAPIMediaType(one)
    return found


@get("/healthz", right="public", sync_to_thread=False)
def show_health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": __version__}


@get("/readyz", right="public")
async def show_readiness(request: Ask) -> dict[str, str]:
    """The database answers too; 503 where it does not."""
    async with muster(request).pool.connection(timeout=2) as conn:
        await conn.execute("SELECT 1")
    return {"status": "ready"}


@get("/v1/problems", right="public", sync_to_thread=False)
def list_problems() -> list[dict[str, Any]]:
    """The error catalogue."""
    return [
        {"slug": slug, "status": type_.status, "en": " ".join((type_.__doc__ or "").split()),
         "zh": type_.zh}
        for slug, type_ in sorted(Problem.catalogue.items())
    ]  # fmt: skip


@get("/metrics", right="metrics", media_type=MediaType.TEXT)
async def show_metrics(request: Ask) -> Response[bytes]:
    """Prometheus metrics."""
    here, metrics = muster(request), request.app.state.metrics
    async with here.pool.connection() as conn:
        metrics.alarms.clear()
        for one in await alarms(conn):
            metrics.alarms.labels(one["alarm"]).set(one["count"])
        metrics.gaps.set(len(await device_gaps(conn)))
    metrics.stored.set(here.door.stored)
    metrics.commits.set(here.door.commits)
    metrics.head.set(here.door.head.seq)
    return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")


class _Metrics:
    def __init__(self) -> None:
        self.registry = into = CollectorRegistry()
        self.requests = Counter("muster_requests", "Requests", ["method", "status"], registry=into)
        self.seconds = Histogram("muster_request_seconds", "Time to answer", registry=into)
        self.stored = Gauge("muster_door_events_stored", "Events stored since start", registry=into)
        self.commits = Gauge("muster_door_commits", "Transactions since start", registry=into)
        self.head = Gauge("muster_ledger_head_seq", "The last event's seq", registry=into)
        self.alarms = Gauge("muster_alarms", "Open alarms", ["alarm"], registry=into)
        self.gaps = Gauge("muster_device_gaps", "Gaps in device sequences", registry=into)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            started = time.perf_counter()

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.requests.labels(scope["method"], message["status"]).inc()
                await send(message)

            await app(scope, receive, noted)
            self.seconds.observe(time.perf_counter() - started)

        return measured
