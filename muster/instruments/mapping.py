"""How a make writes its export: a mapping from columns to fields, declared as data.

A mapping is a TOML file. The shipped ones are in `mappings/`; an operator's own, in a folder of the
installation, go before them. Headers are compared folded: case, spaces, underscores, width and
script do not matter, and a remark in brackets after a header is overlooked.

    id = "acme-9600"                  # letters, digits and hyphens; shown as the run's format
    title = "Acme 9600"               # shown to people
    layout = "long"                   # a row per well and target; or "wide": a column per target

    sheets = ["实验数据"]              # optional: the sheets of a workbook with results
    section = "Results"               # optional: the part of a text file behind the line [Results]
    promised = "Sample Setup"         # optional: the section that lists what was on the plate
    end_at_blank = true               # optional: an empty row ends the table (remarks follow)
    fill_down = ["well", "sample"]    # optional: fields written once for several rows (merged)
    wells = 96                        # optional: the plate, when the file does not say
    numbering = "row"                 # optional: wells numbered 1..n "row" by row or by "column"
    target = "ORF1ab"                 # optional: the only target, when no column names one

    [recognise]                       # optional; all of it must hold, or the mapping is not tried
    headers = ["Fluor", "Content"]    # in the header row
    text = ["Acme"]                   # each somewhere in the rows before the header
    surely = ["Acme 9600"]            # any of these alone settles it: a lacking column is an error

    [columns]                         # field = headers, the preferred one first
    well = ["Well Position", "Well"]  # required
    sample = ["Sample Name"]          # an empty cell falls back on the next column that is there
    target = ["Target", "Fluor"]      # required in a long layout without `target`
    ct = ["Ct", "Cq"]                 # required in a long layout
    role = ["Task"]
    plate = ["Plate"]
    omit = ["Omit"]                   # ticked: the well does not count

    [wide]                            # a wide layout has one or both of:
    pattern = "^(.+?) ?(Ct|Cq)$"      # the first group is the target
    columns = { ORF1ab = ["FAM"] }    # target = headers

    [channels]                        # optional: what a channel measures in this laboratory
    FAM = "ORF1ab"

    [roles]                           # optional: further words for the kind of well
    positive_control = ["强阳"]

    [facts]                           # labels in the rows before the header ("Barcode", "X";
    plate = ["Experiment Barcode"]    # "* Barcode = X" or "条码：X")
    block = ["Block Type"]            # a text with 96 or 384 in it
    instrument = ["Instrument Type"]
    serial = ["Instrument Serial Number"]
    software = ["Software Name and Version"]
    started_at = ["Run Start Date/Time"]
    ended_at = ["Run End Date/Time"]

    time_formats = ["%m/%d/%Y %H:%M:%S"]  # optional, as in strptime; common ones are known
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from muster.instruments.faults import MappingInvalid
from muster.instruments.run_file import PlateSize, Role

Texts = tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...]
Field = Literal["well", "sample", "target", "ct", "role", "plate", "omit"]
Fact = Literal["plate", "block", "instrument", "serial", "software", "started_at", "ended_at"]


class Recognise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be found before the mapping is tried; see the head of this file."""

    headers: Texts = ()
    text: Texts = ()
    surely: Texts = ()


class Wide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns of a wide table hold the Ct of which target."""

    pattern: str = ""
    columns: dict[str, Texts] = {}


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One make's export; see the head of this file."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)]
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    layout: Literal["long", "wide"] = "long"
    sheets: Texts = ()
    section: str = ""
    promised: str = ""
    end_at_blank: bool = False
    fill_down: tuple[Literal["well", "sample", "role", "plate"], ...] = ()
    wells: PlateSize | None = None
    numbering: Literal["row", "column"] = "row"
    target: str = ""
    recognise: Recognise = Recognise()
    columns: dict[Field, Texts]
    wide: Wide = Wide()
    channels: dict[str, str] = {}
    roles: dict[Role, Texts] = {}
    facts: dict[Fact, Texts] = {}
    time_formats: Texts = ()

    def __post_init__(self) -> None:
        if self.layout == "wide" and not (self.wide.pattern or self.wide.columns):
            raise ValueError("a wide layout needs `pattern` or `columns` under [wide]")
        if lacking := [field for field in needed_fields(self) if not self.columns.get(field)]:
            raise ValueError(f"[columns] lacks {', '.join(lacking)}")
        try:
            groups = re.compile(self.wide.pattern).groups
        except re.error as error:
            raise ValueError(
                f"the pattern under [wide] is no regular expression: {error}"
            ) from None
        if self.wide.pattern and groups < 1:
            raise ValueError("the pattern under [wide] needs a group for the target")


def needed_fields(mapping: Mapping) -> list[Field]:
    """The fields without which the mapping's table cannot be read."""
    if mapping.layout == "wide":
        return ["well"]
    return ["well", "ct"] if mapping.target else ["well", "target", "ct"]


def parse_mapping(text: str, *, file: str) -> Mapping:
    """A mapping from TOML. Raises MappingInvalid."""
    try:
        return msgspec.toml.decode(text, type=Mapping)
    except (msgspec.DecodeError, ValueError) as error:
        raise MappingInvalid(file=file, reason=str(error)) from None


def mappings_in(folder: Path) -> tuple[Mapping, ...]:
    """The mappings of a folder in the order of their file names; empty if there is no folder.
    Raises MappingInvalid, for two files with one id too."""
    found: dict[str, Mapping] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise MappingInvalid(file=path.name, reason="it is not UTF-8") from None
        mapping = parse_mapping(text, file=path.name)
        if mapping.id in found:
            raise MappingInvalid(file=path.name, reason=f"the id {mapping.id} is taken")
        found[mapping.id] = mapping
    return tuple(found.values())


@cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """The mappings that come with the package, the general ones last."""
    return mappings_in(Path(__file__).parent / "mappings")


def in_order(own: Sequence[Mapping]) -> tuple[Mapping, ...]:
    """An installation's own mappings, then the shipped ones that they do not replace by id."""
    ids = {mapping.id for mapping in own}
    return (*own, *(mapping for mapping in shipped_mappings() if mapping.id not in ids))
