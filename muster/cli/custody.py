"""Commands about boxes and their hand-overs."""

from pathlib import Path
from typing import Any, get_args

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now
from muster.custody import queries as custody
from muster.custody.queries import BoxState
from muster.instance import Instance
from muster.sampling import queries as sampling


@main.group("box")
def box_group() -> None:
    """Boxes and bags: where they are, what they hold."""


@main.group("handover")
def hand_over_group() -> None:
    """Hand-overs of boxes, which both sides scan."""


@command(box_group, "list")
@click.option("--site", help="Code or id.")
@click.option("--for", "bound_for", help="The code of the laboratory they are to go to.")
@click.option("--state", type=click.Choice(get_args(BoxState)))
@output_option
async def list_boxes(
    out: Out, site: str | None, bound_for: str | None, state: BoxState | None, output: Path | None
) -> Any:
    """Boxes and bags, packed last first."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            where = (await sampling.site(conn, site))["site"] if site else None
            rows = await every(
                lambda a: custody.boxes(conn, site=where, bound_for=bound_for, state=state, after=a)
            )
        columns = (
            "packed_at", "code", "kind", "site_name", "tube_count", "bag_count", "bound_for", "state",
            "with", "lab",
        )  # fmt: skip
        return out.listing([_counted(row) for row in rows], columns, output)

    return await opened(work, out)


@command(box_group, "show")
@click.argument("box")
async def show_box(out: Out, box: str) -> Any:
    """The boxes of a code or an id: what they hold, who had them when, how warm they were."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await custody.boxes_called(conn, box)
        for one in found:
            out.table([_counted(one)], ["code", "kind", "site_name", "packed_at", "seal", "tube_count",
                                        "count", "bound_for"])  # fmt: skip
            out.table(one["manifest"], ["barcode", "listed", "scanned", "tube"], "manifest")
            out.table(one["holds"], ["code", "seal"], "bags")
            out.table(one["legs"], ["giver", "given_at", "given_count", "given_seal", "taker",
                                    "taken_at", "taken_count", "taken_seal", "differs"])  # fmt: skip
            out.table(one["temperatures"], ["at", "decidegrees", "source"])
            out.table(one["receptions"], ["lab", "received_at", "received_by", "ended_at"])
            out.table(one["cases"], ["opened_at", "kind", "barcode", "owner"])
        return found

    return await opened(work, out)


@command(hand_over_group, "list")
@click.option("--open/--differing", "open_", default=None,
              help="Only what one side has scanned for too long, or only what differs.")  # fmt: skip
@output_option
async def list_hand_overs(out: Out, open_: bool | None, output: Path | None) -> Any:
    """Hand-overs of the last days that want looking at, oldest first."""

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        async with muster.pool.connection() as conn:
            rows = await every(lambda a: custody.hand_overs(conn, at=at, open=open_, after=a))
        columns = ("begun_at", "code", "giver", "given_at", "taker", "taken_at", "open", "differs")
        return out.listing(rows, columns, output)

    return await opened(work, out)


def _counted(box: dict[str, Any]) -> dict[str, Any]:
    """A box as a line: its `tubes` are a number there, and elsewhere ids."""
    return {**box, "tube_count": box["tubes"], "bag_count": box["bags"]}
