"""The codes that carry an outcome, in both standards alike, and the words that labs write instead.

LOINC and SNOMED CT codes as in the COVID-19 FHIR profile library
(hl7.org/fhir/us/covid19library); flags of HL7 table 0078 and of v3 ObservationInterpretation.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from muster.core.text import clean
from muster.exchange.report import CT_MILLI_LIMIT, Outcome

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"

# Nucleic acid tests that answer for the whole tube, by kind of specimen; the first is written.
OVERALL = {
    "94500-6": "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory specimen by NAA with probe detection",
    "94309-2": "SARS-CoV-2 (COVID-19) RNA [Presence] in Specimen by NAA with probe detection",
    "94759-8": "SARS-CoV-2 (COVID-19) RNA [Presence] in Nasopharynx by NAA with probe detection",
    "95406-5": "SARS-CoV-2 (COVID-19) RNA [Presence] in Nose by NAA with probe detection",
    "94845-5": "SARS-CoV-2 (COVID-19) RNA [Presence] in Saliva by NAA with probe detection",
    "95608-6": "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory specimen by non-probe NAA",
}
OVERALL_CODE = "94500-6"

# The first code of a target is the one that is written.
CT_CODES = {"94511-3": "ORF1ab", "94644-2": "ORF1ab", "94510-5": "N", "94509-7": "E",
            "94642-6": "S"}  # fmt: skip
DETECTION_CODES = {"94639-2": "ORF1ab", "94559-2": "ORF1ab", "94533-7": "N"}
CT_UNIT = "{Ct_value}"  # UCUM, as the profile library annotates it

SNOMED_OUTCOMES: dict[str, Outcome] = {
    "260373001": "positive",  # Detected
    "10828004": "positive",  # Positive
    "52101004": "positive",  # Present
    "260415000": "negative",  # Not detected
    "260385009": "negative",  # Negative
    "2667000": "negative",  # Absent
    "419984006": "indeterminate",  # Inconclusive
    "82334004": "indeterminate",  # Indeterminate
    "42425007": "indeterminate",  # Equivocal
    "455371000124106": "invalid",  # Invalid result
    "125154007": "invalid",  # Specimen unsatisfactory for evaluation
}
LOINC_ANSWERS: dict[str, Outcome] = {
    "LA11882-0": "positive",  # Detected
    "LA6576-8": "positive",  # Positive
    "LA11883-8": "negative",  # Not detected
    "LA6577-6": "negative",  # Negative
    "LA11884-6": "indeterminate",  # Indeterminate
    "LA9663-1": "indeterminate",  # Inconclusive
}
WRITTEN: dict[Outcome, tuple[str, str]] = {
    "positive": ("260373001", "Detected"),
    "negative": ("260415000", "Not detected"),
    "indeterminate": ("419984006", "Inconclusive"),
    "invalid": ("455371000124106", "Invalid result"),
}
# Whole texts only: "no SARS-CoV-2 detected" must not be taken for "detected".
WORDS: dict[str, Outcome] = {
    **dict.fromkeys(("positive", "pos", "detected", "present", "+", "(+)",
                     "阳性", "检出", "阳性(+)"), "positive"),
    **dict.fromkeys(("negative", "neg", "not detected", "undetected", "absent", "-", "(-)",
                     "阴性", "未检出", "阴性(-)"), "negative"),
    **dict.fromkeys(("indeterminate", "inconclusive", "equivocal", "可疑", "灰区"),
                    "indeterminate"),
    **dict.fromkeys(("invalid", "invalid result", "无效"), "invalid"),
}  # fmt: skip
# The outcomes that a flag goes with. Flags that are not here (H, L, …) say nothing of a tube.
FLAGS: dict[str, frozenset[Outcome]] = {
    **dict.fromkeys(("POS", "DET", "RR"), frozenset[Outcome]({"positive"})),
    **dict.fromkeys(("NEG", "ND", "NR", "N"), frozenset[Outcome]({"negative"})),
    **dict.fromkeys(("IND", "E"), frozenset[Outcome]({"indeterminate"})),
    **dict.fromkeys(("A", "AA"), frozenset[Outcome]({"positive", "indeterminate", "invalid"})),
}
NO_CURVE = {"undetermined", "noct", "no ct", "n/a", "nan", "未检出", "无"}

_STANDARD = {"SCT": SNOMED, SNOMED: SNOMED, "LN": LOINC, LOINC: LOINC}
_CT_TEXT = re.compile(r"\b(ct|cq|cp)\b|cycle threshold|ct值|循环阈值", re.IGNORECASE)
_CT_UNITS = {"{ct_value}", "{ct}", "{cq}", "{cycles}", "{cycle}", "ct", "cq", "cycles"}


class Coded(NamedTuple):
    """A code, its text and its coding system, as a name (SCT, LN, L) or a URL."""

    code: str
    text: str = ""
    system: str = ""


def outcomes(said: Iterable[Coded]) -> set[Outcome]:
    """The outcomes that some codes and texts name: one is an answer, several contradict each other,
    none is unknown. An unknown code of SNOMED CT or LOINC makes it unknown, whatever its text."""
    found: set[Outcome] = set()
    for code, text, system in said:
        standard = _STANDARD.get(system.strip())
        known = SNOMED_OUTCOMES.get(code) if standard != LOINC else None
        known = known or (LOINC_ANSWERS.get(code) if standard != SNOMED else None)
        if standard and code and not known:
            return set()
        words = (WORDS.get(_word(code)) if not standard else None, WORDS.get(_word(text)))
        found |= {one for one in (known, *words) if one}
    return found


def _word(text: str) -> str:
    return clean(text).casefold().removesuffix(" (qualifier value)")


def contradicts(outcome: Outcome, flags: Iterable[str]) -> str | None:
    """The first flag that does not go with the outcome."""
    for flag in flags:
        if outcome not in FLAGS.get(flag.strip().upper(), (outcome,)):
            return flag
    return None


def is_overall(said: Iterable[Coded]) -> bool:
    return any(one.code in OVERALL for one in said)


def is_ct(said: Iterable[Coded], unit: str) -> bool:
    """Whether a number is a cycle threshold: by its code, its unit or its name."""
    return unit.strip().casefold() in _CT_UNITS or any(
        one.code in CT_CODES or _CT_TEXT.search(f"{one.code} {one.text}".replace("_", " "))
        for one in said
    )


def is_detection(said: Iterable[Coded]) -> bool:
    return any(one.code in DETECTION_CODES for one in said)


def target_of(said: Iterable[Coded]) -> str:
    """The target that an observation is of: by its local code if it has one, else by what LOINC
    means, else as the sender calls it."""
    said = list(said)
    local = [one.code for one in said if one.code and one.system not in _STANDARD]
    known = [{**CT_CODES, **DETECTION_CODES}.get(one.code, "") for one in said]
    called = [one.text or one.code for one in said]
    return next((name for name in map(clean, (*local, *known, *called)) if name), "")


def ct_milli(text: str) -> int | None:
    """A cycle threshold in thousandths; None if the text is not one. Raises nothing."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,30})?", text):
        return None
    milli = int((Decimal(text) * 1000).to_integral_value())
    return milli if 0 < milli <= CT_MILLI_LIMIT else None


def ct_text(milli: int) -> str:
    return f"{milli // 1000}.{milli % 1000:03d}".rstrip("0").rstrip(".")


def ct_code(target: str) -> str | None:
    return next((code for code, name in CT_CODES.items() if name == target), None)


def detection_code(target: str) -> str | None:
    return next((code for code, name in DETECTION_CODES.items() if name == target), None)


def shown(text: str) -> str:
    """A text for an error: as it stands if it is a short code or number, else only how long it is,
    because a sender may have put a name, a phone or a document number there."""
    is_code = re.fullmatch(r"[!-~]{1,10}", text) and (len(text) <= 3 or re.search(r"[0-9]", text))
    return f'"{text}"' if is_code else f"({len(text)} ch.)" if text else "(—)"
