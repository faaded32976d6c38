"""Every limit and setting, with its unit in its name. A setting is read from the environment once,
at the edge (`Settings.from_environment`); nothing else in the code reads the environment.

Limits are our own choice; policy numbers of a campaign are not here: they
are dated events (`PolicyAdopted`), and the `DEFAULT_*` below only fill in before any is adopted.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

# One upload
BODY_LIMIT_BYTES = 8 * 1024 * 1024
UNZIPPED_LIMIT_BYTES = 32 * 1024 * 1024
ITEMS_LIMIT = 1_000
QUEUE_ITEMS_LIMIT = 20_000  # of a carried queue: what one phone records in a week without a network
CLOCK_OFFSET_LIMIT_MS = (
    100 * 366 * 24 * 3600 * 1000
)  # a clock that began at its epoch is 50 years off
MEMBERS_LIMIT = 50
TEXT_LIMIT = 2_000

# The door
TRANSACTION_WEIGHT_LIMIT = 4_000  # one is about one swab's work (Body.weight): under 250 ms
QUEUE_WEIGHT_LIMIT = 200_000  # waiting in memory; beyond it the answer is 503 with Retry-After
RULE_DEPTH_LIMIT = 5  # a rule's events may trigger rules: a loop deeper than this is a defect
RETRY_AFTER_SECONDS = 5
PACKED_ANSWERS = 20  # a receipt of as many leaves gzip-encoded, where that is understood
DOOR_ROLE = "muster_door"  # adds events and refreshes rows; can neither change nor remove an event
# Array parameters look small to the planner and tables may be empty when a plan is made: the door
# always wants the index, and never to plan a view again.
DOOR_OPTIONS = (
    f"-c role={DOOR_ROLE} "
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off "
    "-c enable_mergejoin=off -c enable_material=off -c max_parallel_workers_per_gather=0 "
    "-c jit=off -c idle_in_transaction_session_timeout=10s "
    "-c statement_timeout=60s"
)
CLOCK_TOLERANCE_SECONDS = 5  # a measured offset below this is network delay, not a wrong clock
FUTURE_TOLERANCE_MINUTES = 10  # device times later than this after receipt are an anomaly

# Custody and laboratory
SITE_PHOTO_LIMIT_BYTES = 200_000
SITE_PHOTO_DAYS = 30
BOX_TUBES_LIMIT = 1_000
BOX_BAGS_LIMIT = 100
BOX_WINDOW_HOURS = 72  # a box's code comes again with every tour
DEVICE_QUIET_MINUTES = 30  # a device at work that was not heard of for so long is called
SCANS_LIMIT = 1_000  # of one upload's reception event
READINGS_LIMIT = 4_000  # 384 wells of ten targets
CALLS_LIMIT = 384
RUN_FILE_LIMIT_BYTES = 20 * 1024 * 1024
RUN_FILE_DAYS = 90  # raw files, and those that wait for their plate
RELEASE_CHUNK = 500  # results appended at a time: the door serves others between

# Followers, clocks, outside head file
FOLLOWER_CHUNK_EVENTS = 2_000
FOLLOWER_PAUSE_SECONDS = 0.5
TICK_SECONDS = 60
HEAD_FILE_SECONDS = 10

# Overview, map
LIVE_SECONDS = 2.0  # between two looks whether anything has moved
LIVE_LATEST_SECONDS = 20.0  # ages and clocks go on where nothing else moves
LIVE_CHECK_SECONDS = 15.0  # between two looks whether a viewer may still see what it sees
LIVE_STREAMS_LIMIT = 2_000
LIVE_GROUPS_LIMIT = 200  # different overviews that are computed for viewers
OVERVIEW_SECONDS = 2.0  # an answer this young is given again to whoever may see the same
ALARMS_SECONDS = 10.0  # alarms beside an overview; they are asked of more
ALARMS_OLD_SECONDS = 60.0  # what is shown there while they are looked at anew
LIVE_REST = 10  # a live overview rests so many times as long as it took: a tenth of a core at most
QUEUE_MINUTES = 90  # a count older than this says nothing of the queue now
SUPPLY_HOURS = 12  # what a site was short of longer ago is no alarm now
SITE_SILENT_MINUTES = 30  # an open site that sealed nothing for so long is asked why
OVERVIEW_SITES = 24  # that the overview names; the board has all
OUTLINE_NUMBERS_LIMIT = 8_000  # of one ring: 4,000 corners
GEOJSON_FEATURES_LIMIT = 50_000
BRIEFING_HOURS = 48  # a reported figure that cannot be true is an alarm for so long
MAP_PIECES_LIMIT = 3_000

# Keeping
INBOX_DAYS = 30
FREE_TEXT_DAYS = 90
BACKUP_DAYS = 30  # what should be gone is in backups so long at most
SESSION_DAYS = 30  # after a session ended, or was last seen
ERASURE_REQUEST_DAYS = 7  # a second person has this long to confirm
REWRITE_LIMIT_BYTES = 512 * 1024 * 1024  # of a table that one person's erasure rewrites at once

# Serving: what may come over the network, how fast and for how long
URL_LIMIT_BYTES = 8_000
HEAD_LIMIT_BYTES = 32_000  # a request's line and header fields together
HEAD_FIELDS_LIMIT = 100
HEAD_SECONDS = 10  # for a request's head to come, from its first byte or the connection's begin
BODY_SECONDS = 20  # for a body to come, plus what it takes at the least rate
BODY_LEAST_BYTES_PER_S = 1_000  # a bad mobile line brings more
REQUEST_SECONDS = 300  # to answer, once the body is there; no statement of ours may take so long
SEND_SECONDS = 60  # for a caller to take what it was answered
KEEP_ALIVE_SECONDS = 75
CONNECTIONS_LIMIT = 4_000
REQUESTS_LIMIT = 1_000  # at work at the same time; beyond it the answer is 503 with Retry-After
RATES_KEPT_LIMIT = 50_000  # callers whose rate is remembered; the longest silent is forgotten first
BURST_SECONDS = 10  # a caller may ask as much as its rate allows in these, all at once
SIGN_IN_BURST_SECONDS = 60
HSTS_SECONDS = 365 * 24 * 3600

# Phones on a site's own network
LAN_AUTHORITY_DAYS = 3_650
LAN_CERTIFICATE_DAYS = 90  # phones take 825 of an authority of one's own (Apple), 397 of others
LAN_RENEW_DAYS = 30  # before its end
LAN_LOOK_SECONDS = 30.0  # between two looks for changed addresses and a certificate's end

# Signing in
PASSWORD_MEMORY_KIB = 7_168  # of OWASP's equal argon2id settings the quickest on two cores
PASSWORD_PASSES = 5
PASSWORD_LENGTH_LEAST = 10
PASSWORD_LENGTH_MOST = 200
PASSWORD_SCORE_LEAST = 3  # of zxcvbn's 0-4: more than 10^8 guesses
HASH_THREADS = 2
SIGN_IN_TURNS = 4  # looked at at the same time; a burst cannot outrun the count of failures
SIGN_INS_WAITING_LIMIT = 500  # beyond it the answer is 503 with Retry-After
FAILURES_LIMIT = 5  # of one login from one address, then it waits
LOGIN_FAILURES_LIMIT = 20  # of one login from everywhere it has not signed in from before
ADDRESS_FAILURES_LIMIT = 100  # of one address, which may be a whole office
FAILURE_FORGIVEN_SECONDS = 720  # one after the other, of a login from one address
LOGIN_FAILURE_FORGIVEN_SECONDS = 180
ADDRESS_FAILURE_FORGIVEN_SECONDS = 6
LOCK_SECONDS = 30  # the first time; doubled with every failure after it
LOCK_LONGEST_SECONDS = 900
KNOWN_ADDRESS_DAYS = 30
SESSION_HOURS = 12
SESSION_IDLE_MINUTES = 30
SESSION_SEEN_SECONDS = 60
SESSION_FRESH_MINUTES = 15  # since the holder proved who they are: changes of password and factors
ENROLMENT_HOURS = 72
SLIP_DAYS = 14
CEREMONY_SECONDS = 300
RECOVERY_CODES = 10
PASSKEYS_LIMIT = 10
OIDC_SECONDS = 10  # for the identity provider to answer

# Residents' own pages
RESIDENT_BODY_BYTES = 16_000
RESIDENT_FIELDS_LIMIT = 80  # of one form
RELATIVES_LIMIT = 12  # codes on one page
RESIDENT_BURST_SECONDS = 60
SITE_LISTINGS_PER_S = 3  # of one site, over a longer time: what its lanes can swab at the most
SITE_LISTINGS_SECONDS = 100  # what they allow in these may come at once
BUILDINGS_NEAR_LIMIT = 600  # to choose from
FACT_FAILURES_LIMIT = 8  # wrong second facts of one code from everywhere, then it waits
FACT_FAILURE_FORGIVEN_SECONDS = 3_600
FACT_LOCK_LONGEST_SECONDS = 3_600  # a phone's last four digits take a year to guess
FACT_ANSWER_SECONDS = 0.4  # a wrong answer takes so long, whatever was wrong
RESIDENT_TICKET_SECONDS = 300  # to ask for something after one was known
RESIDENT_PAGE_SECONDS = 60  # a result stays on the screen so long
RESIDENT_RESULTS_LIMIT = 5
KEYED_LINES_LIMIT = 300  # of paper forms, checked at once

# Devices
DEVICE_TOKEN_MINUTES = 30
DEVICE_CODE_HOURS = 72
PIN_WRONG_LIMIT = 10
PRINCIPAL_SECONDS = 1.0  # another server's revocation is noticed after this long at most

# Papers
PAPER_SECONDS = 60.0  # to set one document
PAPER_MEMORY_BYTES = 2_000_000_000  # addresses a typesetter may use
PAPERS_AT_ONCE = 1  # set at the same time: the other core is the door's
PAPERS_WAITING_LIMIT = 50
PRINT_PEOPLE_LIMIT = 1_200  # in one file: what one printer takes well, and two seconds' work
LABELS_LIMIT = 20_000  # of one issue to a site
LABEL_SHEET_LIMIT = 5_000  # printed at once
SITES_LISTED_LIMIT = 10_000  # lines of one table of a report: a city's largest day had 6,300 sites
REPORT_SIGNERS = 1
PRESS_SIGNERS = 2  # what goes to the press is answered for by two

# Slices
SLICE_PEOPLE_LIMIT = 30_000  # a large community: 1.4 MB on the way, two seconds of the server
SLICE_AREAS_LIMIT = 20_000  # a district's buildings
SLICE_COUNT_LIMIT = 100_000  # counted no further: there are too many either way
SLICE_BEHIND_EVENTS = 100_000  # a phone that missed more gets its slice whole
SLICE_HASH_BYTES = 5  # of 30,000 people one in 36 million strangers is taken for somebody
SLICES_AT_ONCE = 2  # a shift's phones come within minutes; the others wait for a turn

# Lists
PAGE_LIMIT = 1_000
EXPORT_LIMIT = 2_000_000

DOORS_LIMIT = 5_000  # people of one building, or listed in an area itself

# Importing
IMPORT_CHUNK_ROWS = 1_000
XLSX_MEMORY_BYTES = 1_500_000_000
IMPORT_FILE_LIMIT_BYTES = 512 * 1024 * 1024  # over HTTP; the command line takes larger ones
IMPORT_PART_LIMIT_BYTES = 4 * 1024 * 1024  # of one request: what a slow line loses at most
IMPORTS_OPEN_LIMIT = 20  # of one account: files it has sent and not fed yet
IMPORT_FILE_DAYS = 7  # bytes not fed yet, and rows handed back
IMPORT_FAULTS_LIMIT = 100_000  # rows; beyond it the work ends: it is hardly the right file
IMPORT_LOOK_SECONDS = 0.5  # between two looks for a file that waits to be fed
IMPORT_NOTED_SECONDS = 0.5  # between two notes of how far it came

# Before any edition is adopted (common practice: pools of ten, results within a day)
DEFAULT_TUBE_SIZE = 10
DEFAULT_RESULT_WINDOW_HOURS = 72
DEFAULT_RESULT_VALID_HOURS = 48
DEFAULT_POSITIVE_DAYS = 14
DEFAULT_RECALL_HOURS = 24
DEFAULT_TUBE_AGE_MINUTES = 240  # from seal to laboratory (facts of the field: 2 to 4 h)
DEFAULT_TUBE_WARNING_MINUTES = 180
DEFAULT_HAND_OVER_MINUTES = 30  # one side has scanned: the other has so long
DEFAULT_BOX_LEAST_DECIDEGREES = 20  # 2 to 8 degrees on the way
DEFAULT_BOX_MOST_DECIDEGREES = 80
DEFAULT_TASK_MINUTES = 30  # for the squad and the communities to go to a positive tube's members
DEFAULT_OVERDUE_TASK_MINUTES = 60  # for a community to see to recalls past their time
POSTS_TOLD_MINUTES = (
    30  # for whoever leads an area to see to limits passed at its posts, relief, incidents
)
HEAT_TOLD_DECIDEGREES = 350  # from which on whoever leads an area is told of the heat
HEAT_HOURS = 6  # for so long a temperature that was read counts
CLOCK_DAYS = 4  # no chain of shifts without a rest is looked for further back
DUTY_DAYS = 60  # days on end are counted no further back
RELIEF_HOURS = 4  # for so long somebody is called up to relieve a shift that is over
RELIEF_WORTH_MINUTES = 30  # nobody is called up to relieve the last moments of a shift
RELIEF_ANSWER_MINUTES = 10
FREED_AFTER_INCIDENT_HOURS = 24  # whose places others take meanwhile
TEAMS_AT_ONCE_LIMIT = 200  # formed from one list of people
TEAM_PEOPLE_LIMIT = 2_000  # in one list: what groups are made of, or a wave of an aid
AID_PLACES_LIMIT = 1_000  # filled from one aid at once
COMMAND_GROUP_LIMIT = (
    5_000  # of one command post: the grids of a district, and what stands above them
)
DEFAULT_TOLD_HOURS = 24  # to have seen that a result one had read was amended
READING_NOTED_SECONDS = 60  # an answer is noted after it was read: one on its way counts
DEFAULT_OBJECTION_HOURS = 72  # an objection unanswered for so long is an alarm
DEFAULT_IDENTITY_DAYS = (
    30  # after the last round was closed (PIPL art. 47: when the purpose is achieved)
)
DEFAULT_READING_DAYS = 365  # the Cybersecurity Law asks for six months of access logs at least


@dataclass(frozen=True)
class Rates:
    """Requests a second that a caller may make over a longer time; 0 means any number.

    An address may be a whole site behind one router: 30 phones that send what they kept during an
    outage, one upload after the other, reach a third of it. A device or session is one of those: a
    phone sends a few uploads a second. Signing in is asked of few and costs a password hash each:
    two a second, and a shift of 60 that begins at the same minute goes through at once. Residents who
    list themselves share the address of their mobile network with thousands: five a second, and a
    queue of 300 that begins at once.
    """

    address: int = 100
    device: int = 50
    sign_in: int = 2
    resident: int = 5

    @staticmethod
    def from_environment() -> "Rates":
        known = Rates()
        return Rates(
            address=_whole(os.environ.get("MUSTER_ADDRESS_RATE"), known.address),
            device=_whole(os.environ.get("MUSTER_DEVICE_RATE"), known.device),
            sign_in=_whole(os.environ.get("MUSTER_SIGN_IN_RATE"), known.sign_in),
            resident=_whole(os.environ.get("MUSTER_RESIDENT_RATE"), known.resident),
        )


@dataclass(frozen=True)
class Oidc:
    """A city's own identity provider. `claim`: the claim of its tokens that is an account's login;
    it must be one that users cannot set themselves."""

    issuer: str
    client_id: str
    secret_file: Path | None = None
    claim: str = "preferred_username"

    def secret(self) -> str | None:
        return self.secret_file.read_text().strip() if self.secret_file else None

    @staticmethod
    def from_environment() -> "Oidc | None":
        issuer = os.environ.get("MUSTER_OIDC_ISSUER")
        if not issuer:
            return None
        file = os.environ.get("MUSTER_OIDC_SECRET_FILE")
        return Oidc(
            issuer=issuer,
            client_id=os.environ.get("MUSTER_OIDC_CLIENT_ID") or "muster",
            secret_file=Path(file).absolute() if file else None,
            claim=os.environ.get("MUSTER_OIDC_CLAIM") or "preferred_username",
        )


@dataclass(frozen=True)
class Settings:
    """What an operator may set; documented in docs/settings.md."""

    home: Path
    database_url: str | None
    key_file: Path
    timezone: str
    language: str
    rates: Rates = Rates()
    backup_key: Path | None = None
    oidc: Oidc | None = None
    metrics_token: Path | None = None
    tiles: str | None = None
    fonts: Path | None = None
    address: str | None = None

    @property
    def backup_key_file(self) -> Path:
        return self.backup_key or self.home / "backup.key"

    @staticmethod
    def from_environment() -> "Settings":
        home = Path(os.environ.get("MUSTER_HOME", ".muster")).absolute()
        return Settings(
            home=home,
            database_url=os.environ.get("DATABASE_URL") or None,
            key_file=Path(os.environ.get("MUSTER_KEY_FILE", home / "vault.key")).absolute(),
            timezone=os.environ.get("MUSTER_TIMEZONE", "Asia/Shanghai"),
            language=os.environ.get("MUSTER_LANGUAGE") or _language(os.environ.get("LANG", "")),
            rates=Rates.from_environment(),
            backup_key=_path(os.environ.get("MUSTER_BACKUP_KEY_FILE")),
            oidc=Oidc.from_environment(),
            metrics_token=_path(os.environ.get("MUSTER_METRICS_TOKEN_FILE")),
            tiles=os.environ.get("MUSTER_MAP_TILES") or None,
            fonts=_path(os.environ.get("MUSTER_FONTS")),
            address=_address(os.environ.get("MUSTER_ADDRESS")),
        )


def _language(locale: str) -> str:
    return "zh" if locale.lower().startswith("zh") else "en"


def _whole(text: str | None, default: int) -> int:
    if text and not text.isdecimal():
        raise SystemExit(f"{text!r} is no whole number: see docs/settings.md")
    return int(text) if text else default


def _address(text: str | None) -> str | None:
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]{1,255}/?", text):
        raise SystemExit(
            f"{text!r} is no address like https://muster.example: see docs/settings.md"
        )
    return text.rstrip("/") if text else None


def _path(text: str | None) -> Path | None:
    return Path(text).absolute() if text else None
