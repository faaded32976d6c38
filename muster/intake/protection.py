"""Cells that a spreadsheet program would take for formulas or numbers, written so that it does not.

`unescaped(escaped(cell)) == cell` for every cell, so a file that was written, opened, corrected
and sent back reads as it was meant.
"""

import re

_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_HARMLESS = re.compile(r"-?|-\d{1,11}(\.\d+)?")

# What a spreadsheet would change on opening: identity and telephone numbers lose digits, "3-2"
# becomes a date.
_MISREAD = re.compile(r"0\d+|\d{12,}|\d{1,4}[-/]\d{1,2}([-/]\d{1,4})?")
_AS_TEXT = re.compile(r'="([^"]*)"')


def escaped(cell: str) -> str:
    """The cell with a quotation mark before what would run as a formula."""
    if _DANGEROUS.match(cell) and not _HARMLESS.fullmatch(cell):
        return "'" + cell
    return cell


def unescaped(cell: str) -> str:
    """What `escaped` was given."""
    if cell[:1] == "'" and _DANGEROUS.match(cell) and not _HARMLESS.fullmatch(cell[1:]):
        return cell[1:]
    return cell


def as_text(cell: str) -> str:
    """The cell for a file that a person opens in a spreadsheet: numbers that would change are
    written ="0123", the programs' own way to say text, and the rest is escaped."""
    plain = text_of(cell)
    if plain is None:
        plain = cell
    return f'="{plain}"' if _MISREAD.fullmatch(plain) else escaped(plain)


def text_of(cell: str) -> str | None:
    """The text in ="text", or None if the cell is not of that form."""
    match = _AS_TEXT.fullmatch(cell)
    return match[1] if match else None
