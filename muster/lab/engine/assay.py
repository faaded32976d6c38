"""An assay: which targets a laboratory looks for and what their Ct values mean, as data.

Every number in here is a laboratory's own rule, taken from its kit's instructions. An edition of it
has a date; a call says which edition it was made under.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from muster.core.text import fold

Ct = Annotated[int, Meta(ge=1, le=60_000)]  # thousandths of a cycle
Name = Annotated[str, Meta(min_length=1, max_length=40)]
Times = Annotated[int, Meta(ge=0, le=5)]
Role = Literal["positive_control", "negative_control", "no_template_control"]

POSITIVE_ROLES: frozenset[str] = frozenset({"positive_control"})
NEGATIVE_ROLES: frozenset[str] = frozenset({"negative_control", "no_template_control"})


def check_fields(value: msgspec.Struct) -> None:
    """Holds a value made in Python to the same limits as one read from JSON; ValueError if not."""
    for field in msgspec.structs.fields(value):
        given: Any = getattr(value, field.name)
        try:
            fits = msgspec.convert(given, field.type) == given  # a list is no tuple
        except msgspec.ValidationError as error:
            raise ValueError(f"{field.name}: {error}") from error
        if not fits:
            raise ValueError(f"{field.name}: {given!r} is not {field.type}")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gene looked for. A Ct up to and including `positive_to` is positive, one above it up to and
    including `grey_to` is in the grey zone (None: there is none), anything later is no finding."""

    code: Name
    positive_to: Ct
    grey_to: Ct | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.grey_to is not None and self.grey_to <= self.positive_to:
            raise ValueError(f"{self.code}: the grey zone ends before it begins")


class InternalControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every swab must show, with a Ct up to `most`, to prove that there was something to test.

    "unless_positive": a sample with a curve of its targets is excused, because a strong target may
    drown the internal control. "always": none is.
    """

    target: Name
    most: Ct
    needed: Literal["always", "unless_positive"] = "unless_positive"

    def __post_init__(self) -> None:
        check_fields(self)


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a control well must show of one target: no curve at all (`absent`), or else a Ct from
    `least` (None: from the start) to `most`, both included."""

    role: Role
    target: Name
    least: Ct | None = None
    most: Ct | None = None
    absent: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        where = f"{self.role} {self.target}"
        if self.absent and (self.least is not None or self.most is not None):
            raise ValueError(f"{where}: absent, so it has no limits of a Ct")
        if not self.absent and self.most is None:
            raise ValueError(f"{where}: say absent, or up to which Ct its curve must come")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"{where}: least is above most")


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often an indeterminate or invalid sample is repeated from its tube before it is reported
    as it is. `negative_clears`: an indeterminate whose repeat is negative is negative."""

    indeterminate: Times = 1
    invalid: Times = 1
    negative_clears: bool = True

    def __post_init__(self) -> None:
        check_fields(self)


class Assay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One test. `positive_needs`: how many targets make a sample positive; fewer, but at least one
    that is positive or grey, make it indeterminate.

    `aliases`: what instruments write → our code of the target, e.g. "FAM" → "ORF1ab". All names are
    compared folded, so that "orf1AB", "ORF 1ab" and full-width letters need no alias.
    """

    code: Name
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    targets: Annotated[tuple[Target, ...], Meta(min_length=1, max_length=12)]
    positive_needs: Annotated[int, Meta(ge=1, le=12)]
    internal: InternalControl | None = None
    controls: Annotated[tuple[Control, ...], Meta(min_length=2, max_length=60)]
    repeats: Repeats = Repeats()
    aliases: Annotated[dict[Name, Name], Meta(max_length=60)] = {}

    def __post_init__(self) -> None:
        check_fields(self)
        if self.positive_needs > len(self.targets):
            raise ValueError("positive_needs: there are not so many targets")
        codes = codes_by_name(self)
        said = [(control.role, codes.get(fold(control.target))) for control in self.controls]
        for role, code in said:
            if code is None:
                raise ValueError(f"controls: {role} names a target that the assay has not")
        if len(set(said)) < len(said):
            raise ValueError("controls: a role says twice what it must show of one target")
        roles = {control.role for control in self.controls}
        if not roles & POSITIVE_ROLES:
            raise ValueError("controls: a positive control is missing")
        if not roles & NEGATIVE_ROLES:
            raise ValueError("controls: a negative or no-template control is missing")
        if all(c.absent for c in self.controls if c.role in POSITIVE_ROLES):
            raise ValueError("controls: the positive control must show a curve")


def codes_by_name(assay: Assay) -> dict[str, str]:
    """Folded name → code, for the targets, the internal control and the aliases of both.

    ValueError if a name means two targets, or an alias one that there is not.
    """
    codes = [target.code for target in assay.targets]
    if assay.internal is not None:
        codes.append(assay.internal.target)
    known = {fold(code): code for code in codes}
    if len(known) < len(codes) or "" in known:
        raise ValueError(f"targets: not distinct: {', '.join(codes)}")
    meant = dict(known)
    for alias, code in assay.aliases.items():
        name, target = fold(alias), known.get(fold(code))
        if target is None:
            raise ValueError(f"aliases: {alias} stands for {code}, which the assay has not")
        if not name or meant.setdefault(name, target) != target:
            raise ValueError(f"aliases: {alias} would stand for two targets")
    return meant


def usual() -> Assay:
    """A common two-gene assay, to start from. Its limits are defaults: a person compares them with
    the instructions of the kit in use and adopts an edition of their own before samples are called.

    It has no aliases for dye channels: kits differ in which gene they put on which dye.
    """
    genes = ("ORF1ab", "N")
    return Assay(
        code="sars-cov-2",
        name="SARS-CoV-2 ORF1ab / N",
        targets=tuple(Target(gene, positive_to=37_000, grey_to=40_000) for gene in genes),
        positive_needs=2,
        internal=InternalControl("RNase P", most=38_000),
        controls=(
            *(Control("positive_control", gene, most=35_000) for gene in genes),
            *(Control("negative_control", gene, absent=True) for gene in genes),
        ),
        aliases={
            "ORF1a/b": "ORF1ab", "ORF1ab gene": "ORF1ab", "ORF1ab基因": "ORF1ab",
            "N gene": "N", "N基因": "N",
            "RP": "RNase P", "IC": "RNase P", "internal control": "RNase P", "内标": "RNase P",
        },
    )  # fmt: skip
