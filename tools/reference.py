"""Writes docs/reference.md from the code: every event, read table, rule, command, setting, limit,
route and problem. `make reference` runs it; with --print the text goes to standard output instead.
"""

import ast
import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

os.environ |= {"MUSTER_LANGUAGE": "en", "LANG": "C.UTF-8"}  # the same text on every machine

import click
from msgspec import inspect

import muster
from muster.access.engine.roles import ROLES
from muster.app import make_app
from muster.catalogue import CATALOGUE
from muster.core.problems import Problem
from muster.guarding import right_of
from muster.ledger.event import Body

ROOT = Path(muster.__file__).parents[1]
FILE = ROOT / "docs" / "reference.md"
PACKAGE = ROOT / "muster"
NOT_IMPORTED = ("muster.__main__",)  # importing it runs the program


def reference() -> str:
    """The whole document."""
    for module in pkgutil.walk_packages(muster.__path__, "muster."):
        if module.name not in NOT_IMPORTED:
            importlib.import_module(module.name)  # declares its events, commands and problems
    parts = (
        "# Reference\n",
        "Written by `make reference` from the code; a test compares the two. What the words mean"
        " stands in [GLOSSARY.md](../GLOSSARY.md), how the parts work together in"
        " [ARCHITECTURE.md](../ARCHITECTURE.md).\n",
        *_section("Events", _events(), _EVENTS),
        *_section("Read tables", _read_tables(), _READ_TABLES),
        *_section("Rules", _rules(), _RULES),
        *_section("Commands", _commands(), _COMMANDS),
        *_section("Roles", _roles(), _ROLES),
        *_section("HTTP routes", _routes(), _ROUTES),
        *_section("Settings", _settings(), _SETTINGS),
        *_section("Limits", _limits(), "Fixed in `muster/config.py`; the unit is in the name."),
        *_section("Problems", _problems(), _PROBLEMS),
    )
    return "\n".join(parts).rstrip() + "\n"


_EVENTS = """\
What can be recorded, by domain. Every event has the envelope `id`, `type`, `v`, `subject`,
`device_at`, `actor`, and optionally `device`, `device_seq`, `cause`; the body's fields are listed
here (`?`: may be left out). `GET /v1/vocabulary` gives the exact JSON schemas."""
_READ_TABLES = """\
What is seen of the events, in the order in which it is refreshed. *At once* means inside the
transaction that stores the events; *after* means by a follower right after commit, shown with its
"as of"; a *view* is not stored."""
_RULES = """\
What follows from what, in the order in which the rules run: each finds consequences that are
missing and appends them as events."""
_COMMANDS = """\
`--help` explains any of them; each also takes `--json` and then prints one JSON document."""
_ROLES = """\
Who may send which events and ask which questions, always within the places where the role is held.
Everything else is forbidden. *Sees* says what of people: their names (masked unless a reason is
given), rows without names (people), codes of tubes (codes), sums (figures), themselves (own), or
nothing but the system (system)."""
_ROUTES = """\
Answers are JSON; errors are problem details (`application/problem+json`, see Problems). Lists page
with `after` and `limit`; those with `format` also leave as CSV or XLSX. The right is one of those
of the roles above; `public` needs nobody, `signed_in` any account."""
_SETTINGS = "Environment variables the program reads; [settings.md](settings.md) says what they do."
_PROBLEMS = """\
What can go wrong, by its stable slug: the one thing a program should compare. `{…}` is filled in
with the facts of the case."""


def _section(title: str, lines: Iterable[str], about: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield about + "\n"
    yield from lines
    yield ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    for row in (heads, ("---",) * len(heads), *rows):
        yield "| " + " | ".join(_cell(str(cell)) for cell in row) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _doc(thing: object) -> str:
    return thing.__doc__ or ""


def _ours(things: Iterable[type]) -> list[Any]:
    """Those of the package, in the order of their modules and then of their names."""
    found = [thing for thing in things if thing.__module__.startswith("muster.")]
    return sorted(found, key=lambda thing: (thing.__module__, thing.__name__))


def _events() -> Iterator[str]:
    for module in dict.fromkeys(type_.__module__ for type_ in _ours(Body.types.values())):
        yield f"### {module.split('.')[1]}\n"
        types = [type_ for type_ in Body.types.values() if type_.__module__ == module]
        rows = [(f"`{one.__name__}`", _doc(one), ", ".join(_fields(one))) for one in types]
        yield from _table(("event", "meaning", "body"), rows)
        yield ""


def _fields(type_: type[Body]) -> Iterator[str]:
    for field in cast(inspect.StructType, inspect.type_info(type_)).fields:
        yield f"`{field.name}`" if field.required else f"`{field.name}`?"


def _read_tables() -> Iterator[str]:
    def when(one: Any) -> str:
        return "view" if not one.stored else "after" if one.follower else "at once"

    yield from _table(
        ("table", "refreshed", "by", "what it shows"),
        ((f"`{one.name}`", when(one), ", ".join(one.key), one.why)
         for one in CATALOGUE.projections),
    )  # fmt: skip


def _rules() -> Iterator[str]:
    yield from _table(
        ("rule", "appends", "when these are touched", "why"),
        ((f"`{one.name}`", f"`{one.emits}`", "the clock" if one.clock else ", ".join(one.kinds),
          one.why) for one in CATALOGUE.rules),
    )  # fmt: skip


def _commands() -> Iterator[str]:
    main = importlib.import_module("muster.cli").main
    yield from _table(("command", "what it does", "options"), _walk(main, "muster"))


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _walk(command.commands[name], f"{path} {name}")
        return
    wanted = [one for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option)]
    usage = " ".join([path, *(_argument(one) for one in wanted)])
    said = "; ".join(
        f"`{one.opts[0]}` {(one.help or '').rstrip('.')}".strip()
        for one in options
        if not one.hidden and one.opts[0] != "--json"
    )
    yield f"`{usage}`", (command.help or "").partition("\f")[0], said


def _argument(one: click.Argument) -> str:
    name = (one.name or "").upper().strip("_") + ("…" if one.nargs == -1 else "")
    return name if one.required else f"[{name}]"


def _routes() -> Iterator[str]:
    rows = set()
    for route in make_app(cast(Any, None)).routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.fn.__module__.startswith("muster."):
                for method in handler.http_methods:
                    rows.add((route.path, method, _doc(handler.fn), right_of(handler)))
    shown = [(method, f"`{path}`", doc, right) for path, method, doc, right in sorted(rows)]
    shown.append(("GET", "`/openapi/openapi.json`", "The OpenAPI document of all this.", "public"))
    yield from _table(("method", "path", "what it does", "right"), shown)


def _roles() -> Iterator[str]:
    yield from _table(
        ("role", "中文", "what for", "held", "sees", "proof", "may send", "may ask and decide"),
        (
            (f"`{one.name}`", one.zh, one.why, ", ".join(sorted(one.places)), one.sees,
             ("second factor" if one.second_factor else "password")
             + (f", {one.most_days} days at most" if one.most_days else ""),
             ", ".join(sorted(one.events)) or "-", ", ".join(sorted(one.rights)))
            for one in ROLES.values()
        ),
    )  # fmt: skip


def environment() -> dict[str, str]:
    """The environment variables that the package reads (not Python's own), with the file."""
    asked = re.compile(r"""\benviron(?:\.get\(|\[)\s*["']((?!PYTHON)\w+)["']""")
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for match in asked.finditer(file.read_text(encoding="utf-8")):
            found.setdefault(match[1], file.relative_to(ROOT).as_posix())
    return found


def _settings() -> Iterator[str]:
    rows = ((f"`{name}`", f"`{file}`") for name, file in sorted(environment().items()))
    yield from _table(("variable", "read in"), rows)


def _limits() -> Iterator[str]:
    source = (PACKAGE / "config.py").read_text(encoding="utf-8")
    lines = source.split("\n")
    rows = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            why = lines[node.lineno - 1].partition("  # ")[2]
            rows.append((f"`{node.targets[0].id}`", f"`{ast.unparse(node.value)}`", why))
    yield from _table(("limit", "value", "why"), rows)


def _problems() -> Iterator[str]:
    types = sorted(_ours(Problem.catalogue.values()), key=lambda type_: type_.slug)
    rows = ((f"`{one.slug}`", one.status, _doc(one), one.zh) for one in types)
    yield from _table(("slug", "status", "English", "中文"), rows)


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(reference())
    else:
        FILE.write_text(reference(), encoding="utf-8")
