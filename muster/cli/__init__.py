"""The command line: `muster --help` shows every command, each with help and `--json`.

This page lists the commands. The module of a command is loaded when the command is called, so that
the list itself, and a number checked, take no time.
"""

from importlib import import_module

import rich_click as click

from muster import __version__

CONTENTS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "demo": ("running", "Generate a district, import it, play a round, show the outcome."),
        "serve": (
            "running",
            "Serve the HTTP interface until interrupted: here, or on a site's network.",
        ),
        "example": ("importing", "Generate a district in import format."),
        "import": ("importing", "Import a CSV or XLSX table; bad rows come back to be corrected."),
        "import-positions": ("overview", "Positions of areas and sites from a GeoJSON file."),
    },
    "A round": {
        "round": ("deciding", "Open, list, balance and close rounds."),
        "funnel": ("looking", "Expected, sampled, resulted, recalled, missing, by area."),
        "missing": ("looking", "Who has not been tested, in the order of the walk."),
        "recalls": ("looking", "Every recall and how it stands."),
        "task": ("tasks", "What is to be done: list, acknowledge, done."),
        "addressee": ("tasks", "Who is told of positive tubes and overdue recalls."),
        "posture": ("posture", "From peace to emergency and back: templates, command posts."),
        "alarms": ("looking", "What a person must look at, gravest first."),
        "callup": (
            "callups",
            "Call people up: open, follow, ask more, ring up; who stands too long.",
        ),
        "report": ("reports", "Reports: freeze, take out, compute again."),
        "team": ("teams", "Teams: form, also evenly from many; show, what they are made of."),
        "aid": ("teams", "Aid from elsewhere: show, assign to places, release."),
        "print": ("printing", "Codes of a whole area as files to print."),
        "briefing": ("overview", "Reported figures from a table: can they be true?"),
    },
    "Laboratory": {
        "box": ("custody", "Boxes and bags: where they are, what they hold."),
        "handover": ("custody", "Hand-overs of boxes that one side only scanned, or that differ."),
        "lab": ("laboratory", "Laboratories: open lists, files, release, results for others."),
        "plate": ("laboratory", "Plates: load, show, discard."),
        "pool": ("pooling", "How many swabs in a tube: designs, advice, prevalence, decoding."),
        "assay": ("laboratory", "Call rules: dated editions of what Ct values mean."),
    },
    "Look up": {
        "areas": ("looking", "The areas right under one."),
        "people": ("looking", "Find people by the beginning of their name."),
        "person": ("looking", "A person, every swab, and what may be told of it."),
        "status": ("looking", "A person's status: because of what, under which rules, until when."),
        "tube": ("looking", "A tube: members, results, and all that happened to it."),
        "sites": ("looking", "Sampling sites."),
        "units": ("looking", "Enterprises, schools, hotels."),
        "anomalies": ("looking", "People in two tubes, repeated barcodes, impossible times, …"),
        "conflicts": ("looking", "Results that contradict each other or fit several tubes."),
        "waiting": ("looking", "Results whose tube is not known."),
        "duplicates": ("looking", "People who may be listed twice."),
        "devices": ("looking", "Numbers that devices have used and that have not arrived."),
        "check-id": ("checking", "Is a document number well formed, and what does it say?"),
    },
    "Decide": {
        "result": ("deciding", "Amend, bind or reject a result. Nothing is ever overwritten."),
        "merge": ("deciding", "Join two ids that are one person."),
        "unmerge": ("deciding", "Take a merge back and keep the two apart."),
        "policy": ("looking", "Dated policy numbers: tube size, result window, recall time."),
        "denominator": ("deciding", "Declare how many people an area holds, with its source."),
    },
    "Accounts": {
        "account": ("accounts", "Open, grant, move, close; staff lists, slips, links, sessions."),
        "device": ("devices", "Enrol, list, move, revoke; what came late from whom."),
        "field": ("field", "Take in what phones without a network have sealed into files."),
        "lan": ("lan", "Phones on a site without internet: the certificate, the card to hang up."),
    },
    "People's data": {
        "about": ("privacy", "What is held about somebody and who looked, to print."),
        "readings": ("privacy", "Who was shown whose data, what, why and when."),
        "retention": ("privacy", "How long each kind of data is kept, and what is due."),
        "erase": ("erasing", "Erase a person, a campaign, what is past its time; prove it."),
        "key": ("privacy", "Change the vault's keys while servers go on."),
    },
    "The ledger": {
        "verify": ("keeping", "Prove that nothing was altered, dropped or slipped in."),
        "replay": ("keeping", "Rebuild every read table from the ledger."),
        "inbox": ("keeping", "What could not be read: kept, encrypted, until it can be."),
        "stalled": ("keeping", "What could not be brought up to date."),
        "reconcile": ("keeping", "Run one rule over the whole history."),
        "tick": ("keeping", "One turn of the clock, which a running server does by itself."),
        "redact": ("keeping", "Destroy the content of events; the chain still verifies."),
        "backup": ("backing", "Write an encrypted backup and prove it by restoring it."),
        "restore": ("backing", "Restore a backup into an empty database."),
        "backups": ("backing", "The backups of a folder: list, check, expire."),
        "bench": ("running", "Measure this machine, beside a reference."),
    },
}
MODULES = {name: module for panel in CONTENTS.values() for name, (module, _) in panel.items()}

click.rich_click.TEXT_MARKUP = "rich"
click.rich_click.COMMAND_GROUPS = {
    "muster": [{"name": name, "commands": list(panel)} for name, panel in CONTENTS.items()]
}


class Contents(click.RichGroup):
    """Lists the commands by CONTENTS and loads the one that is called."""

    group_class = click.RichGroup  # of `muster round` and the like, which list their own

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for panel in CONTENTS.values():
            if cmd_name in panel and cmd_name not in self.commands:
                return click.RichCommand(name=cmd_name, help=panel[cmd_name][1])  # for the list
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        load(*args[:1])
        return super().resolve_command(ctx, args)


def load(*names: str) -> None:
    """Load the modules of these commands, or of all."""
    for module in sorted({MODULES[name] for name in names or MODULES if name in MODULES}):
        import_module(f"muster.cli.{module}")
    if "policy" in (names or MODULES):  # half of it looks, half decides
        import_module("muster.cli.deciding")


@click.group("muster", cls=Contents, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="muster")
def main() -> None:
    """Muster (集结) runs a mass-testing campaign: roster, rounds, tubes, results, recalls and
    who is still missing.

    The database is embedded in ./.muster unless DATABASE_URL names a server.
    """
