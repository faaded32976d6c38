"""The command line: `muster --help` shows every command, each with help and `--json`."""

import rich_click as click

from muster import __version__

click.rich_click.TEXT_MARKUP = "rich"
click.rich_click.COMMAND_GROUPS = {
    "muster": [
        {"name": "Begin", "commands": ["demo", "serve", "example", "import"]},
        {"name": "A round", "commands": ["round", "funnel", "missing", "recalls", "alarms"]},
        {"name": "Look up", "commands": ["areas", "people", "person", "tube", "sites", "units",
                                         "anomalies", "conflicts", "waiting", "duplicates",
                                         "devices", "check-id"]},
        {"name": "Decide", "commands": ["result", "merge", "unmerge", "policy", "denominator"]},
        {"name": "The ledger", "commands": ["verify", "replay", "inbox", "stalled", "reconcile",
                                            "tick", "redact", "bench"]},
    ]
}  # fmt: skip


@click.group("muster", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="muster")
def main() -> None:
    """Muster (集结) runs a mass-testing campaign: roster, rounds, tubes, results, recalls and
    who is still missing.

    The database is embedded in ./.muster unless DATABASE_URL names a server.
    """


from muster.cli import deciding, importing, keeping, looking, running  # noqa: E402, F401
