"""Numbers of labels to be printed: the running number of a supplier's format, with its check digit.

A range is compared as text: all labels of one format are of one length, and the check stands at the
end, so that the order of the texts is the order of the numbers.
"""

from typing import ClassVar

from muster.core.problems import Problem
from muster.custody.engine.barcodes import Check, Format, recognise

_CODE_39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_CHECK_PLACES: dict[Check, int] = {"none": 0, "mod10": 1, "mod43": 1, "mod97": 2}


class FormatNotNumbered(Problem):
    """Labels of the format {pattern} cannot be numbered: {reason}. Adopt a format whose changing places
    are digits (#) that stand together, such as LP10########."""

    zh: ClassVar[str] = (
        "格式 {pattern} 的标签无法编号：{reason_zh}。请采用变化位为连续数字（#）的格式，例如 LP10########。"
    )
    status: ClassVar[int] = 422


class NumbersUsedUp(Problem):
    """The format {pattern} has numbers up to {most}; {count} labels from {first} on do not fit."""

    zh: ClassVar[str] = "格式 {pattern} 的编号最大为 {most}，从 {first} 起放不下 {count} 个。"
    status: ClassVar[int] = 422


def check_numbered(form: Format) -> None:
    """Raises FormatNotNumbered where the changing places are not one run of digits before the check."""
    body = form.pattern[: len(form.pattern) - _CHECK_PLACES[form.check]]
    if "@" in body or "*" in body:
        raise FormatNotNumbered(
            pattern=form.pattern, reason="it has letters that change", reason_zh="含有变化的字母"
        )
    run = body[body.find("#") : body.rfind("#") + 1]
    if not run or set(run) != {"#"}:
        raise FormatNotNumbered(
            pattern=form.pattern,
            reason="its digits do not stand together",
            reason_zh="数字位不连续",
        )


def most(form: Format) -> int:
    """The highest running number of a format."""
    return 10 ** _digits(form) - 1


def label(form: Format, number: int) -> str:
    """The label of a running number, with its check."""
    body = form.pattern[: len(form.pattern) - _CHECK_PLACES[form.check]]
    digits = _digits(form)
    text = body.replace("#" * digits, f"{number:0{digits}d}")
    code = text + _check(form.check, text)
    assert code.endswith(" ") or recognise(code, [form]), (
        code
    )  # what is printed is read as what it is
    return code


def number(form: Format, code: str) -> int:
    """The running number of a label of the format."""
    start = form.pattern.index("#")
    return int(code[start : start + _digits(form)])


def labels(form: Format, first: int, count: int) -> list[str]:
    """So many labels from a running number on; numbers whose check is a space are passed over, since no
    scanner would give it back. Raises FormatNotNumbered, NumbersUsedUp."""
    check_numbered(form)
    numbers = range(first, most(form) + 1)
    made = [
        one for number in numbers[: 2 * count] if not (one := label(form, number)).endswith(" ")
    ]
    if len(made) < count:
        raise NumbersUsedUp(pattern=form.pattern, most=most(form), count=count, first=first)
    return made[:count]


def _digits(form: Format) -> int:
    return form.pattern[: len(form.pattern) - _CHECK_PLACES[form.check]].count("#")


def _check(check: Check, text: str) -> str:
    """What stands at the end, so that engine/barcodes.py finds it right."""
    match check:
        case "mod10":
            digits = [int(char) for char in reversed(text) if char.isdigit()]
            return str(-(3 * sum(digits[::2]) + sum(digits[1::2])) % 10)
        case "mod43":
            return _CODE_39[sum(_CODE_39.index(char) for char in text) % 43]
        case "mod97":
            value = int("".join(str(int(char, 36)) for char in text if char.isalnum()))
            return f"{(1 - value * 100) % 97:02d}"
    return ""
