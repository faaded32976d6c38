"""Who may import whom: the layers of ARCHITECTURE.md, checked over every import of the package.

A module may import its own layer and the layers above it in the table. What it may see of another
domain is that domain's events. Exceptions stand in a closed list, each with its reason.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "muster"


@dataclass(frozen=True)
class Layer:
    """Some modules: `x.*` means x and all below it, `DOMAIN` any domain. The last that fits counts.

    `only` narrows what they may import to these layers; None means every layer before.
    """

    name: str
    modules: tuple[str, ...]
    only: tuple[str, ...] | None = None


LAYERS = (
    Layer("package", ("muster",), only=()),
    Layer("core", ("muster.core.*",), only=()),
    Layer("config", ("muster.config",), only=()),
    Layer("database", ("muster.db.*",)),
    Layer("engine", ("muster.DOMAIN.engine.*",), only=("core", "domain")),
    Layer("ledger", ("muster.ledger.*",), only=("core", "config")),
    Layer("keeping", ("muster.keeping.*",), only=("core", "config", "ledger")),
    Layer("domain", ("muster.DOMAIN", "muster.intake", "muster.exercise"), only=()),
    Layer("events", ("muster.DOMAIN.events",)),
    Layer("vault", ("muster.registry.keyring", "muster.registry.vault")),
    Layer("posture", ("muster.posture.templates",)),
    Layer("queries", ("muster.DOMAIN.queries", "muster.registry.about", "muster.desk.chain",
                      "muster.desk.records", "muster.coverage.overview",
                      "muster.coverage.mapping")),
    Layer(
        "decide",
        (
            "muster.DOMAIN.decide", "muster.registry.rotation", "muster.lab.deciding",
            "muster.lab.receiving", "muster.lab.loading", "muster.lab.checking",
            "muster.lab.running", "muster.lab.figures",
            "muster.lab.releasing", "muster.lab.adopting", "muster.hq.reporting",
            "muster.workforce.booking", "muster.workforce.links",
            "muster.teams.assigning",
            *(f"muster.workforce.{n}" for n in ("clocks", "gaps", "leading", "relief", "relief_queries")),
        ),
    ),
    Layer(
        "access",
        (
            "muster.teams.accounts",
            *(f"muster.access.{n}" for n in (
                "decide", "devices", "enrolment", "factors", "gate", "oidc", "passkeys", "passwords", "queries",
                "readings", "sealing", "sessions", "sign_in", "signing", "slips", "throttle", "undertaking",
            )),
        ),
    ),
    Layer("catalogue", ("muster.catalogue",), only=("ledger", "events")),
    Layer(
        "intake",
        tuple(
            f"muster.intake.{name}"
            for name in (
                "faults", "protection", "csv_source", "workbook_child", "workbook_source", "export",
                "rejects", "tables", "upload", "deciding", "queues",
            )
        ),
    ),
    Layer("instruments", ("muster.instruments", "muster.instruments.*"), only=("core", "config", "intake")),
    Layer("exchange", ("muster.exchange", "muster.exchange.*"), only=("core", "config")),
    Layer("papers", ("muster.papers", "muster.papers.*"), only=("core", "config")),
    Layer("lan", ("muster.lan", "muster.lan.*"), only=("core", "config")),
    Layer(
        "sheets",
        tuple(f"muster.hq.report_{one}" for one in ("words", "sheets", "files", "outlet")),
    ),
    Layer("bulk", ("muster.papers.bulk",)),
    Layer("readers", ("muster.readers",)),
    Layer("instance", ("muster.instance",)),
    Layer("importing", tuple(f"muster.intake.{n}" for n in (
        "importing", "kinds", "residents", "staff", "survey", "reach", "import_words", "imports", "feeding",
        "positions"))),
    Layer("photos", ("muster.sampling.photos",)),
    Layer("laboratory", tuple(f"muster.lab.{n}" for n in ("calling", "exporting", "files", "watching"))),
    Layer("workforce", ("muster.workforce.calling",)),
    Layer("chores", ("muster.chores",)),
    Layer("web", ("muster.web", "muster.guarding", "muster.headers", "muster.hardening", "muster.showing",
                  "muster.lan.install")),
    Layer(
        "api",
        (
            "muster.DOMAIN.api", "muster.sampling.photo_api", "muster.access.guest",
            "muster.access.account_api",
            "muster.intake.api", "muster.intake.import_api", "muster.intake.queue_api",
            "muster.access.enrolment_api", "muster.access.factor_api", "muster.access.asking",
            "muster.access.device_api", "muster.access.reading_api", "muster.registry.own_api",
            "muster.lab.reception_api", "muster.lab.bench_api", "muster.lab.lab_api",
            "muster.hq.reports_api", "muster.custody.labels_api", "muster.papers.api",
            "muster.desk.why_api", "muster.desk.record_api", "muster.desk.history_api",
            "muster.desk.work_api",
            "muster.lab.station_api", "muster.lab.figures_api", "muster.lab.pooling_api", "muster.coverage.live",
            "muster.coverage.overview_api", "muster.coverage.briefing_api",
            "muster.coverage.map_api",
            *(f"muster.resident.{n}" for n in (
                "words", "markup", "pages", "reading", "result_api", "home_api", "keying_api")),
            "muster.workforce.link_api", "muster.workforce.link_words", "muster.workforce.post_api",
            "muster.workforce.relief_api", "muster.workforce.gap_api",
            "muster.teams.aid_api", "muster.teams.paper_api",
        ),
    ),
    Layer("exercise", ("muster.exercise.*",)),
    Layer("app", ("muster.app",)),
    Layer("cli", ("muster.cli.*", "muster.__main__")),
)  # fmt: skip

DOMAINS = (
    "registry", "workforce", "teams", "planning", "sampling", "custody", "lab", "coverage", "tracing",
    "zones", "visits", "needs", "supplies", "hq", "posture", "access", "desk", "console",
    "field",
    "resident",
)  # fmt: skip
# What one domain may see of another; the intake also knows identities and puts them away.
SEEN_BY_DOMAINS = ("events",)
SEEN_BY_INTAKE = ("events", "engine", "vault", "gate")

# What belongs to some layers only, and is not even imported elsewhere.
LIBRARIES = {
    "litestar": ("web", "api", "app"),
    "uvicorn": ("app", "cli"),
    "click": ("cli",),
    "rich_click": ("cli",),
    "rich": ("cli",),
}
IMPURE = ("psycopg", "psycopg_pool", "litestar", "structlog", "logging", "socket", "subprocess")
IMPURE_CALLS = {"print", "open", "input"}

EXCUSES: dict[tuple[str, str], str] = {
    ("muster.desk.api", "muster.sampling.queries"): "tubes are asked for by a round's name",
    ("muster.desk.api", "muster.registry.queries"): "the search field finds people by name",
    ("muster.desk.why_api", "muster.sampling.queries"): "results are asked for by a round's name",
    ("muster.desk.why_api", "muster.registry.engine.masking"): "others in the chain are masked",
    ("muster.sampling.api", "muster.registry.queries"): "sites are asked for by an area's name",
    ("muster.desk.api", "muster.registry.engine.personal_code"): "it reads printed codes",
    ("muster.custody.api", "muster.sampling.queries"): "boxes are asked for by a site's name",
    **{
        (f"muster.lab.{one}_api", "muster.sampling.queries"): "a round is asked for by its name"
        for one in ("figures", "pooling")
    },
    ("muster.custody.labels_api", "muster.sampling.queries"): "a site is named by its code",
    ("muster.hq.report_files", "muster.intake.protection"): "no cell of any table is a formula",
    ("muster.hq.reports_api", "muster.sampling.queries"): "a report is asked for by a round's name",
    ("muster.desk.records", "muster.registry.vault"): "how to call who holds a device",
    ("muster.hq.report_outlet", "muster.registry.vault"): "where the names of signers are kept",
    ("muster.hq.report_outlet", "muster.access.queries"): "signatures are shown with names",
    ("muster.coverage.api", "muster.sampling.queries"): "a funnel is asked for by a round's name",
    ("muster.visits.api", "muster.sampling.queries"): "doors are asked for by a round's name",
    (
        "muster.visits.api",
        "muster.coverage.queries",
    ): "what keeps a round open is read off its sheet",
    ("muster.coverage.overview_api", "muster.sampling.queries"): "so is an overview",
    ("muster.coverage.live", "muster.access.engine.scope"): "viewers who may see the same are one",
    ("muster.coverage.map_api", "muster.intake.positions"): "positions come as a file",
    ("muster.sampling.api", "muster.coverage.queries"): "a round is closed on its balance sheet",
    ("muster.intake.api", "muster.sampling.queries"): "receipts and the inbox are asked for there",
    ("muster.intake.api", "muster.access.devices"): "an upload comes in the name of who asks",
    (
        "muster.intake.queue_api",
        "muster.access.devices",
    ): "so does a queue that nobody's token is in",
    ("muster.intake.queues", "muster.access.devices"): "a queue comes in the name of its device",
    (
        "muster.field.api",
        "muster.access.engine.scope",
    ): "what the holder may see decides what a phone has",
    ("muster.field.api", "muster.registry.vault"): "numbers are opened to be hashed for one phone",
    ("muster.access.device_api", "muster.sampling.queries"): "a device is sent to a site by name",
    # Residents' pages tell a person what several domains know of them, and act for nobody else.
    **{
        (f"muster.resident.{one}", f"muster.{other}"): why
        for one, other, why in (
            ("api", "registry.engine.identity", "a number is checked alike wherever it is typed"),
            ("engine.form", "registry.engine.identity", "a number is checked alike"),
            ("pages", "registry.engine.identity", "kinds of documents are named alike"),
            ("api", "registry.engine.masking", "their names are masked, too"),
            ("result_api", "registry.engine.masking", "their names are masked, too"),
            ("pages", "registry.engine.personal_code", "they show a person's code"),
            ("queries", "registry.engine.personal_code", "they ask by it"),
            ("result_api", "registry.engine.personal_code", "they read it"),
            ("decide", "registry.vault", "identities are put away there"),
            ("result_api", "registry.vault", "what seals a ticket may be gone"),
            ("queries", "coverage.engine.queue", "a queue is told as on the console's board"),
            ("result_api", "lab.queries", "results are told as to anybody else"),
            ("result_api", "access.asking", "attempts are counted by address"),
            ("result_api", "access.throttle", "and slowed as those to sign in"),
            ("result_api", "access.readings", "each look is recorded"),
        )
    },
    (
        "muster.hq.report_words",
        "muster.workforce.engine.posts",
    ): "a report calls roles what the roster does",
    (
        "muster.lab.pooling_api",
        "muster.access.engine.roles",
    ): "an area's sums need a right of their own",
    ("muster.workforce.api", "muster.sampling.queries"): "a demand may be a site's, by its code",
    ("muster.workforce.gap_api", "muster.sampling.queries"): "a site is named by its code",
    ("muster.workforce.links", "muster.registry.vault"): "links are proven by a key of the vault",
    ("muster.workforce.links", "muster.registry.engine.personal_code"): "ids are written alike",
    ("muster.workforce.link_api", "muster.resident.markup"): "pages without an account look alike",
    ("muster.workforce.link_api", "muster.resident.reading"): "and their forms are read alike",
    # Those who were sent stand at the same posts as others, and sign in as others do.
    **{
        (f"muster.teams.{one}", f"muster.workforce.{other}"): why
        for one, others, why in (
            ("assigning", "booking decide queries engine.limits engine.posts", "as any other"),
            ("aid_api", "queries engine.posts", "limits and roles are the same for all"),
            ("api", "queries", "units and call-ups are named alike"),
            ("paper_api", "links engine.posts", "a post's code leads where its QR does"),
        )
        for other in others.split()
    },
    **{
        (f"muster.teams.{one}", f"muster.{other}"): why
        for one, other, why in (
            ("aid_api", "access.asking", "who was released is signed out at once"),
            ("accounts", "access.decide", "their accounts are made as any other"),
            ("accounts", "access.queries", "and asked for"),
            ("accounts", "access.sealing", "and their names sealed"),
            ("paper_api", "registry.engine.personal_code", "ids are written alike in codes"),
            ("paper_api", "sampling.queries", "a sheet may be a site's, by its code"),
        )
    },
    **{
        (f"muster.lab.{one}", "muster.custody.engine.barcodes"): "a label is read alike everywhere"
        for one in ("receiving", "checking", "running", "files")
    },
}


def violations(sources: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(importer, imported, why not) for some modules of the package, as dotted name → source."""
    for module, source in sources.items():
        layer = layer_of(module)
        if layer is None:
            yield module, "", "it has no layer: say in LAYERS where it belongs"
            continue
        tree = ast.parse(source)
        for imported in sorted(imports(tree)):
            if why := objection(module, layer, imported):
                yield module, imported, why
        if layer.name == "engine":
            for called in calls(tree) & IMPURE_CALLS:
                yield module, called, "an engine takes values and gives values"


def objection(module: str, layer: Layer, imported: str) -> str | None:
    """Why `module` may not import `imported`, if it may not."""
    top = imported.partition(".")[0]
    if top != "muster":
        if layer.name == "engine" and top in IMPURE:
            return "an engine takes values and gives values"
        if top in LIBRARIES and layer.name not in LIBRARIES[top]:
            return f"{top} belongs to {', '.join(LIBRARIES[top])}"
        return None
    other = layer_of(imported)
    if other is None:
        return "it has no layer"
    if other != layer:
        if LAYERS.index(other) > LAYERS.index(layer):
            return f"{layer.name} comes before {other.name}"
        if layer.only is not None and other.name not in layer.only:
            return f"{layer.name} may import {', '.join(layer.only) or 'nothing of ours'} only"
    mine, its = domain_of(module), domain_of(imported)
    seen = SEEN_BY_INTAKE if mine == "intake" else SEEN_BY_DOMAINS
    if mine and its and mine != its and imported.split(".")[2:3] not in [[part] for part in seen]:
        return f"of another domain {mine} may import {', '.join(seen)} only"
    return None


def imports(tree: ast.AST) -> set[str]:
    """The modules imported anywhere in a module, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in package() else str(node.module))
    return found


def calls(tree: ast.AST) -> set[str]:
    """The names called anywhere in a module, plain ones only."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {function.id for function in called if isinstance(function, ast.Name)}


@cache
def layer_of(module: str) -> Layer | None:
    generic = ["DOMAIN" if part in DOMAINS else part for part in module.split(".")]
    fitting = [
        layer
        for layer in LAYERS
        for pattern in layer.modules
        if any(_fits(name, pattern) for name in (module, ".".join(generic)))
    ]
    return fitting[-1] if fitting else None


def _fits(name: str, pattern: str) -> bool:
    stem = pattern.removesuffix(".*")
    return name == stem or (stem != pattern and name.startswith(f"{stem}."))


def domain_of(module: str) -> str | None:
    part = [*module.split("."), ""][1]
    return part if part in (*DOMAINS, "intake") else None


@cache
def package() -> dict[str, str]:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = file.read_text(encoding="utf-8")
    return found


def test_every_import_keeps_the_layers() -> None:
    found = [
        f"{module} imports {imported}: {why}"
        for module, imported, why in violations(package())
        if (module, imported) not in EXCUSES
    ]
    assert not found, "\n".join(["", *found])


def test_no_excuse_is_stale() -> None:
    used = {(module, imported) for module, imported, _ in violations(package())}
    assert not set(EXCUSES) - used, "not needed any more: take them out of EXCUSES"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("muster.core.ids", "from muster.config import ITEMS_LIMIT"),
        ("muster.ledger.door", "import muster.catalogue"),
        ("muster.ledger.door", "def f():\n    from muster.lab.events import Outcome"),
        ("muster.registry.engine.identity", "import psycopg"),
        ("muster.registry.engine.identity", "print('found')"),
        ("muster.registry.engine.identity", "from muster.ledger.event import Event"),
        ("muster.registry.engine.identity", "from muster.config import PAGE_LIMIT"),
        ("muster.lab.queries", "from muster.sampling import queries"),
        ("muster.lab.queries", "from muster.sampling.queries import tubes"),
        ("muster.lab.decide", "from muster.registry.engine.identity import check"),
        ("muster.lab.queries", "from litestar import get"),
        ("muster.lab.events", "from muster.lab.queries import recalls"),
        ("muster.access.gate", "from muster.registry.queries import area"),
        ("muster.access.decide", "from litestar import get"),
        ("muster.access.engine.judge", "import psycopg"),
        ("muster.readers", "from muster.instance import Instance"),
        ("muster.catalogue", "from muster.core.clock import now"),
        ("muster.intake.upload", "from muster.instance import Instance"),
        ("muster.app", "from muster.cli import main"),
        ("muster.somewhere", "import json"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str) -> None:
    assert list(violations({module: source}))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("muster.core.ids", "import os"),
        ("muster.ledger.door", "from muster.ledger import event, projection"),
        ("muster.sampling.decide", "from muster.registry.events import PolicyAdopted"),
        ("muster.registry.queries", "from muster.registry.engine.identity import check"),
        ("muster.catalogue", "import muster.lab.events"),
        ("muster.cli.show", "from muster.app import make_app\nimport rich_click"),
    ],
)
def test_what_is_allowed_is_not_found(module: str, source: str) -> None:
    assert not list(violations({module: source}))
