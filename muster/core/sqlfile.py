"""SQL lives in files of named blocks: `-- name: tube (key: tube; index: barcode)`, its comment
(why), then the statement. An option given several times is joined with `|`. This reads them; it
knows nothing of what they mean.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

_HEAD = re.compile(r"^-- name: (\w+)(?: \((.*)\))?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    name: str
    options: dict[str, str]
    comment: str
    sql: str


@cache
def load(package: str, file: str) -> dict[str, Block]:
    """The blocks of `file` in `package` (dotted), by name, in the order of the file."""
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    blocks: dict[str, Block] = {}
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        lines = text[head.end() : after.start() if after else len(text)].strip().split("\n")
        comment = [line[2:].strip() for line in lines if line.startswith("--")]
        sql = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
        options: dict[str, str] = {}
        for part in filter(str.strip, (head[2] or "").split(";")):
            name, _, value = (piece.strip() for piece in part.partition(":"))
            options[name] = f"{options[name]}|{value}" if name in options else value
        if head[1] in blocks:
            raise ValueError(f"{package}/{file}: {head[1]} twice")
        blocks[head[1]] = Block(head[1], options, " ".join(comment), sql)
    return blocks


@cache
def load_like(package: str, name: str) -> dict[str, Block]:
    """The blocks of `name.sql` in `package` and of `name_….sql`, where one file would be too long. In
    them `{part}` stands for the block of that name, which several share."""
    found = (one.name for one in resources.files(package).iterdir())
    files = sorted(one for one in found if one == f"{name}.sql" or one.startswith(f"{name}_"))
    blocks = {key: block for file in files for key, block in load(package, file).items()}
    parts = {f"{{{key}}}": one.sql for key, one in blocks.items() if "part" in one.options}
    return {key: replace(one, sql=_filled(one.sql, parts)) for key, one in blocks.items()}


def _filled(sql: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        sql = sql.replace(name, part)
    return sql


def query(package: str, name: str, file: str = "queries.sql") -> str:
    """One named statement of a package's queries.sql, or of another file given as `file.sql:name`."""
    other, _, name = name.rpartition(":")
    return load(package, other or file)[name].sql
