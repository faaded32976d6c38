"""Commands about the field client: queues that came as a file."""

from collections import Counter
from pathlib import Path
from typing import Any

import rich_click as click

from muster.access.engine.judge import Sender
from muster.access.readings import COMMAND_LINE
from muster.cli import main
from muster.cli.output import FileUnusable, Out, command, opened
from muster.core.clock import now
from muster.instance import Instance
from muster.intake.queues import take


@main.group("field")
def field_group() -> None:
    """Phones that have no network: what they have recorded, brought by others."""


@command(field_group, "take")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
async def take_queues(out: Out, files: tuple[Path, ...]) -> Any:
    """Take in queues that phones have sealed into files. A file taken twice changes nothing."""

    async def work(out: Out, muster: Instance) -> Any:
        done = []
        for file in files:
            try:
                sealed = file.read_bytes()
            except OSError as error:
                raise FileUnusable(file=file, reason=error.strerror) from error
            taken = await take(
                muster.intake, sealed, carrier=Sender(login=COMMAND_LINE), received_at=now(),
                language=out.language,
            )  # fmt: skip
            counts = Counter(one.answer for one in taken.answers)
            done.append(
                {"file": str(file), "device": taken.device, "items": len(taken.answers)}
                | {name: counts[name] for name in ("stored", "known", "held")}
            )
        out.table(done, ["file", "device", "items", "stored", "known", "held"])
        return done

    return await opened(work, out)
