"""`muster check-id`: needs no database, and loads nothing that does."""

from typing import Any

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command
from muster.registry.engine.identity import check


@command(main, "check-id", light=True)
@click.argument("number")
@click.option("--kind", help="The kind of document; by default it is told from the number.")
async def check_id(out: Out, number: str, kind: str | None) -> Any:
    """Is a document number well formed, and what does it say? Nothing is stored or logged."""
    document = check(number, kind)
    found = {
        "valid": document.valid, "kind": document.kind, "reason": document.reason,
        "birth_date": document.birth_date, "sex": document.sex,
    }  # fmt: skip
    out.table([found], list(found))
    return found
