"""Tidiness: sizes, names, docstrings, clocks out of views and rules, the vocabulary's form, the
ledger's budget, and nothing of the machine the code was written on.
"""

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

import muster.catalogue  # declares the domains' event types
import muster.keeping.redact  # and the ledger's own  # noqa: F401
from muster.ledger.event import Body

ROOT = Path(__file__).parents[2]
CODE = (".py", ".sql", ".ts", ".vue")
MADE = {
    "node_modules",
    "generated",
    "build",
    "built",
    "fonts",
    "dist",
    "__pycache__",
}  # not written by hand

FILE_LINES = 400
FUNCTION_LINES = 70
LEDGER_LINES = 600  # of code: without blank lines, comments and docstrings

# Files that are over-long for a reason; whoever shortens one takes it out.
LONG_FILES: dict[str, str] = {}

VAGUE_NAMES = re.compile(r"(manager|service|helper|util)s?|base|common|misc")
CLOCKS = re.compile(
    r"\b((now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|current_(timestamp|date|time)\b|localtime(stamp)?\b)",
    re.IGNORECASE,
)
# In pieces, so that this file does not hold what it looks for.
OF_A_MACHINE = re.compile(
    "|".join(
        re.escape("".join(pieces))
        for pieces in (
            ("pypi", ".org"),
            ("pythonhosted", ".org"),
            ("registry.npm", "js.org"),
            ("registry.npm", "mirror.com"),
            ("deb.deb", "ian.org"),
            ("proxy.go", "lang.org"),
            ("/opt/", "pypi"),
            ("/opt/", "wheels"),
            ("/wo", "rk/main"),
            ("/wo", "rk/shared"),
            ("/root", "/"),
            ("/tmp/", "v/"),
            ("file:", "///"),
        )
    )
)


@cache
def files() -> list[Path]:
    """Every file of the project that is written by hand or committed, relative to its root."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(
            name for name in folders if name not in MADE and (name == ".ci" or name[0] != ".")
        )
        found += [Path(folder, name).relative_to(ROOT) for name in sorted(names)]
    return found


@cache
def read(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


@cache
def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(read(file)) for file in files() if file.suffix == ".py"}


def code_lines(source: str) -> int:
    """Lines of Python that hold code: not blank, not comment, not docstring."""
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
              tokenize.ENCODING, tokenize.ENDMARKER)  # fmt: skip
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            held |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                held -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(held & {i for i, line in enumerate(source.split("\n"), 1) if line.strip()})


def none_of(found: list[str], rule: str) -> None:
    assert not found, "\n  ".join([f"{rule}:", *found])


def test_files_are_short() -> None:
    long = {
        str(file): lines
        for file in files()
        if file.suffix in CODE and (lines := read(file).count("\n")) > FILE_LINES
    }
    found = [f"{file}: {lines}" for file, lines in long.items() if file not in LONG_FILES]
    none_of(found, f"files of more than {FILE_LINES} lines")
    none_of([file for file in LONG_FILES if file not in long], "excused, but short enough by now")


def test_functions_are_short() -> None:
    found = [
        f"{file}:{node.lineno} {node.name}: {lines}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]
    none_of(found, f"functions of more than {FUNCTION_LINES} lines")


def test_the_ledger_keeps_its_budget() -> None:
    lines = {
        file.name: code_lines(read(file))
        for file in trees()
        if file.is_relative_to("muster/ledger")
    }
    assert sum(lines.values()) <= LEDGER_LINES, f"{sum(lines.values())} lines: {lines}"


def test_lines_of_code_are_counted_as_said() -> None:
    assert code_lines('"""Doc."""\n\nA = 1  # why\n# why\ndef f():\n    """Doc.\n    """\n') == 2
    assert code_lines('Q = """\nSELECT 1\n\nFROM x\n"""\n') == 4


def test_names_say_what_is_in_a_file() -> None:
    found = [
        str(file)
        for file in files()
        if file.suffix in CODE
        for part in (*file.parent.parts, file.stem)
        if VAGUE_NAMES.fullmatch(part)
    ]
    none_of(found, "names that say nothing")


def test_modules_have_docstrings() -> None:
    found = [str(f) for f, tree in trees().items() if tree.body and not ast.get_docstring(tree)]
    none_of(found, "modules without a docstring")


def test_views_and_rules_have_no_clock() -> None:
    found = [
        f"{file}:{number} {match[0]}"
        for file in files()
        if re.fullmatch(r"(read|rules)(_\w+)?\.sql", file.name)
        for number, line in enumerate(read(file).split("\n"), 1)
        for match in CLOCKS.finditer(line.partition("--")[0])
    ]
    none_of(found, "the time is given to them, never asked for")
    assert CLOCKS.search("now()")
    assert CLOCKS.search("Current_Date")
    assert not CLOCKS.search("r.at < %(now)s")


@pytest.mark.parametrize("type_", Body.types.values(), ids=Body.types)
def test_an_event_type_is_well_formed(type_: type[Body]) -> None:
    assert "touches" in type_.__dict__, "it does not say what it touches"
    doc = type_.__dict__.get("__doc__") or ""
    assert doc.strip().endswith("."), "its docstring is the documentation: a sentence"
    none_of(list(unfit(inspect.type_info(type_), type_.__name__)), "unfit for a body")


def unfit(type_: inspect.Type, where: str) -> Iterator[str]:
    """What must not be in a body: floats and anything goes (neither comes back from JSON byte for
    byte), and texts without a limit (they would be free text)."""
    match type_:
        case inspect.FloatType() | inspect.DecimalType() | inspect.AnyType() | inspect.RawType():
            yield f"{where}: {type(type_).__name__}"
        case inspect.StrType(max_length=None, pattern=None):
            yield f"{where}: a text without a limit"
        case inspect.StructType(fields=fields):
            for one in fields:
                yield from unfit(one.type, f"{where}.{one.name}")
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            for one in types:
                yield from unfit(one, where)
        case inspect.CollectionType(item_type=item):
            yield from unfit(item, f"{where}[]")
        case inspect.DictType(key_type=key, value_type=value):
            yield from unfit(key, f"{where} keys")
            yield from unfit(value, f"{where}[]")
        case _:
            pass


def test_what_is_unfit_is_found() -> None:
    class Part(msgspec.Struct):
        share: float | None
        words: list[str]

    class Whole(msgspec.Struct):
        parts: dict[int, tuple[Part, ...]]

    found = list(unfit(inspect.type_info(Whole), "Whole"))
    assert [one.partition(":")[0] for one in found] == [
        "Whole.parts[][].share",
        "Whole.parts[][].words[]",
    ]


def test_nothing_of_a_machine_is_in_the_files() -> None:
    found = [
        f"{file}:{number} {match[0]}"
        for file in files()
        if (ROOT / file).stat().st_size < 5_000_000
        for number, line in enumerate(read(file).split("\n"), 1)
        for match in OF_A_MACHINE.finditer(line)
    ]
    none_of(found, "registries and paths of one machine")
