"""Every limit and setting, with its unit in its name. A setting is read from the environment once,
at the edge (`Settings.from_environment`); nothing else in the code reads the environment.

Limits are our own choice; policy numbers of a campaign are not here: they
are dated events (`PolicyAdopted`), and the `DEFAULT_*` below only fill in before any is adopted.
"""

import os
from dataclasses import dataclass
from pathlib import Path

# One upload
BODY_LIMIT_BYTES = 8 * 1024 * 1024
UNZIPPED_LIMIT_BYTES = 32 * 1024 * 1024
ITEMS_LIMIT = 1_000
MEMBERS_LIMIT = 50
TEXT_LIMIT = 2_000

# The door
TRANSACTION_WEIGHT_LIMIT = 4_000  # one is about one swab's work (Body.weight): under 250 ms
QUEUE_WEIGHT_LIMIT = 200_000  # waiting in memory; beyond it the answer is 503 with Retry-After
RULE_DEPTH_LIMIT = 5  # a rule's events may trigger rules: a loop deeper than this is a defect
RETRY_AFTER_SECONDS = 5
CLOCK_TOLERANCE_SECONDS = 5  # a measured offset below this is network delay, not a wrong clock
FUTURE_TOLERANCE_MINUTES = 10  # device times later than this after receipt are an anomaly

# Followers, clocks, outside head file
FOLLOWER_CHUNK_EVENTS = 2_000
FOLLOWER_PAUSE_SECONDS = 0.5
TICK_SECONDS = 60
HEAD_FILE_SECONDS = 10

# Keeping
INBOX_DAYS = 30
FREE_TEXT_DAYS = 90

# Lists
PAGE_LIMIT = 1_000
EXPORT_LIMIT = 2_000_000

# Importing
IMPORT_CHUNK_ROWS = 1_000
XLSX_MEMORY_BYTES = 1_500_000_000

# Before any edition is adopted (common practice: pools of ten, results within a day)
DEFAULT_TUBE_SIZE = 10
DEFAULT_RESULT_WINDOW_HOURS = 72
DEFAULT_RECALL_HOURS = 24


@dataclass(frozen=True)
class Settings:
    """What an operator may set; documented in docs/settings.md."""

    home: Path
    database_url: str | None
    key_file: Path
    timezone: str
    language: str

    @staticmethod
    def from_environment() -> "Settings":
        home = Path(os.environ.get("MUSTER_HOME", ".muster")).absolute()
        return Settings(
            home=home,
            database_url=os.environ.get("DATABASE_URL") or None,
            key_file=Path(os.environ.get("MUSTER_KEY_FILE", home / "vault.key")).absolute(),
            timezone=os.environ.get("MUSTER_TIMEZONE", "Asia/Shanghai"),
            language=os.environ.get("MUSTER_LANGUAGE") or _language(os.environ.get("LANG", "")),
        )


def _language(locale: str) -> str:
    return "zh" if locale.lower().startswith("zh") else "en"
