"""Barcodes as they are printed on the supplies: what a scanner or a keyboard gave, made one text;
which supplier's label it can be; and whether it is the kind of label that was asked for.

Nothing is guessed. Case is kept and look-alikes (O and 0) are not touched, because Code 128 and
two-dimensional codes tell them apart: a guess could turn one tube into another.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from muster.core.problems import Problem

Kind = Literal["tube", "bag", "box", "plate"]
Check = Literal["none", "mod10", "mod43", "mod97"]

LENGTH_LIMIT = 64  # as of every code in the ledger
_SCAN_LIMIT = 256  # what surrounds a code, such as prefixes and spaces, is no longer than this
_AIM = re.compile(r"(?:\][A-Za-z][0-9A-Za-z])+")  # ISO/IEC 15424, e.g. "]C1" for GS1-128
_GROUP_SEPARATOR = "\x1d"
_CODE_39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"  # by value, ISO/IEC 16388
_PLACES = {"#": "[0-9]", "@": "[A-Z]", "*": "[0-9A-Z]"}
_ANY_CODE_39 = r"[0-9A-Z\-.$/+%]"
_MASKS = 4_096  # compiled masks kept; a region has some dozens


_ZH = {
    "tube": "采样管", "bag": "袋", "box": "箱", "plate": "板",
    "empty": "没有内容", "too-long": "过长", "control-character": "含控制字符",
    "several-fields": "含多个 GS1 字段",
}  # fmt: skip


class BarcodeUnreadable(Problem):
    """This is not one barcode ({why}): {text}. Scan one label again, with the scanner set to send the
    plain code, or type what is printed below the bars."""

    zh: ClassVar[str] = (
        "这不是一个条码（{why_zh}）：{text}。"
        "请将扫码枪设为只发送条码本身，重新扫一个标签，或手工录入条码下方印的字符。"
    )
    status: ClassVar[int] = 422


class WrongKind(Problem):
    """{barcode} is the label of a {found}. Scan the label of a {wanted}."""

    zh: ClassVar[str] = "{barcode} 是{found_zh}的标签，请扫{wanted_zh}的标签。"
    status: ClassVar[int] = 422


class CheckDigitWrong(Problem):
    """The check digit of {barcode} does not fit, so it was misread or mistyped. Scan the label of the
    {wanted} again, or compare each character with the print."""

    zh: ClassVar[str] = (
        "{barcode} 的校验位不符，可能扫错或录错。请重新扫{wanted_zh}的标签，或逐字核对印刷字符。"
    )
    status: ClassVar[int] = 422


class UnknownFormat(Problem):
    """{barcode} has the form of no {wanted} label that is used here. Check for capitals and missing
    characters; if the label is from a new supplier, have its format added to the configuration."""

    zh: ClassVar[str] = (
        "{barcode} 不符合本地使用的任何{wanted_zh}标签格式。请检查大小写和漏字；"
        "如是新供应商的标签，请在配置中添加其格式。"
    )
    status: ClassVar[int] = 422


def tidy(text: str) -> str:
    """What a scanner or a keyboard gave → the code alone, or BarcodeUnreadable.

    Off go spaces anywhere (labels are printed in groups of digits, and no supplier tells two labels
    apart by a space), invisible characters, AIM prefixes such as "]C1", and control characters
    around the code, which scanners send as prefix and suffix. Full-width becomes half-width.

    A control character within the code is an error: a line end means two scans that ran together; a
    group separator means GS1 element strings, of which nobody but the supplier knows which is the
    code. One at either end is the FNC1 that marks a label as GS1, and says nothing.
    """
    bare = text.strip().replace(" ", "")
    plain = bare.isascii() and bare.isprintable() and not bare.startswith("]")
    if plain and 0 < len(bare) <= LENGTH_LIMIT:
        return bare  # nearly always, and ten times as fast as what follows
    if len(text) > _SCAN_LIMIT:
        raise _unreadable("too-long", text)
    code, before = text, None
    while code != before:  # what is taken away may bring other characters together
        before = code
        code = unicodedata.normalize("NFKC", "".join(c for c in code if not _is_blank(c)))
        code = _without_ends(code)
        code = code[match.end() :] if (match := _AIM.match(code)) else code
    if not code:
        raise _unreadable("empty", text)
    if any(_is_control(char) for char in code):
        fields = _GROUP_SEPARATOR in code
        raise _unreadable("several-fields" if fields else "control-character", text)
    if len(code) > LENGTH_LIMIT:
        raise _unreadable("too-long", text)
    return code


def _unreadable(why: str, text: str) -> BarcodeUnreadable:
    shown = repr(text[:40]) + ("…" if len(text) > 40 else "")
    return BarcodeUnreadable(why=why, why_zh=_ZH[why], text=shown)


def _is_blank(char: str) -> bool:
    return unicodedata.category(char) in ("Zs", "Cf")


def _is_control(char: str) -> bool:
    """Cs is half of a character, U+FFFD one that was lost: neither was on the label."""
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char == "\ufffd"


def _without_ends(code: str) -> str:
    start, end = 0, len(code)
    while start < end and unicodedata.category(code[start]) == "Cc":
        start += 1
    while end > start and unicodedata.category(code[end - 1]) == "Cc":
        end -= 1
    return code[start:end]


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one supplier's label of one kind looks.

    `pattern` is a mask of the whole code: `#` a digit, `@` a letter A-Z, `*` a letter or digit,
    anything else itself, e.g. "SH10########". `check` says what its end is computed from:

    * mod10: the last digit, as of GS1 numbers (General Specifications 7.9.1: weights 3, 1, 3 … from
      the right), over the digits of the code; letters and marks are left out;
    * mod43: the last character, as of Code 39 (ISO/IEC 16388 annex A); its place is `*` and may hold
      a mark as well. A label whose check character is the space cannot be used: it is tidied away;
    * mod97: the last two digits, as of ISO/IEC 7064 MOD 97-10, letters counting 10 to 35; marks are
      left out.

    `capacity`: how many a vessel with this label holds, 10 or 20 for tubes.
    """

    supplier: Annotated[str, Meta(min_length=1, max_length=40)]
    kind: Kind
    pattern: Annotated[str, Meta(min_length=1, max_length=LENGTH_LIMIT)]
    check: Check = "none"
    capacity: Annotated[int, Meta(ge=1, le=10_000)] | None = None

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(self):
            given: Any = getattr(self, field.name)
            try:
                msgspec.convert(given, field.type)
            except msgspec.ValidationError as error:
                raise ValueError(f"{field.name}: {error}") from error
        if not (self.pattern.isascii() and self.pattern.isprintable()) or " " in self.pattern:
            raise ValueError(f"pattern: {self.pattern!r} has a character that no code can have")
        if not any(place in self.pattern for place in _PLACES):
            raise ValueError(f"pattern: {self.pattern} fits one label only; write # for a digit")
        end = {"none": "", "mod10": "#", "mod43": "*", "mod97": "##"}[self.check]
        if not self.pattern.endswith(end) or len(self.pattern) <= len(end):
            raise ValueError(f"pattern: with {self.check} it ends in {end}, after something else")
        if self.check == "mod43" and not set(self.pattern) <= {*_PLACES, *_CODE_39}:
            raise ValueError(f"pattern: {self.pattern} has characters that Code 39 has not")


def recognise(text: str, formats: Sequence[Format]) -> list[Format]:
    """The formats that a code, as `tidy` gives it, can be of: the mask fits, the check digit too."""
    return [one for one in formats if _fits_mask(text, one) and _CHECKS[one.check](text)]


def verify(text: str, kind: Kind, formats: Sequence[Format]) -> Problem | None:
    """What is wrong with a code, as `tidy` gives it, where a label of `kind` is wanted; None if
    nothing. Where no format of that kind is configured, whatever is no label of another kind goes.
    """
    for one in formats:
        if one.kind == kind and _fits_mask(text, one) and _CHECKS[one.check](text):
            return None
    fitting = [one for one in formats if _fits_mask(text, one)]
    right = [one for one in fitting if _CHECKS[one.check](text)]
    misread = any(one.kind == kind for one in fitting)
    # A check digit that fits proves the other kind; a mask alone does not outweigh a misread label.
    others = [one for one in right if one.check != "none"] if misread else right or fitting
    if others:
        found = others[0].kind
        return WrongKind(
            barcode=text, found=found, found_zh=_ZH[found], wanted=kind, wanted_zh=_ZH[kind]
        )
    if misread:
        return CheckDigitWrong(barcode=text, wanted=kind, wanted_zh=_ZH[kind])
    if any(one.kind == kind for one in formats):
        return UnknownFormat(barcode=text, wanted=kind, wanted_zh=_ZH[kind])
    return None


def _fits_mask(text: str, form: Format) -> bool:
    return _mask(form.pattern, form.check == "mod43").fullmatch(text) is not None


@lru_cache(_MASKS)
def _mask(pattern: str, ends_in_code_39: bool) -> re.Pattern[str]:
    """One character class a place and no repetition: it cannot run away."""
    places = [_PLACES.get(char, re.escape(char)) for char in pattern]
    if ends_in_code_39:
        places[-1] = _ANY_CODE_39
    return re.compile("".join(places))


def _mod10(code: str) -> bool:
    digits = [int(char) for char in reversed(code) if char.isdigit()]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _mod43(code: str) -> bool:
    return sum(_CODE_39.index(char) for char in code[:-1]) % 43 == _CODE_39.index(code[-1])


def _mod97(code: str) -> bool:
    return int("".join(str(int(char, 36)) for char in code if char.isalnum())) % 97 == 1


_CHECKS: dict[Check, Callable[[str], bool]] = {
    "none": lambda code: True, "mod10": _mod10, "mod43": _mod43, "mod97": _mod97,
}  # fmt: skip
