"""Codes drawn as SVG paths: QR codes (ISO/IEC 18004, by segno) and Code 128 (ISO/IEC 15417).

Everything is one path of whole modules, so that no renderer leaves hairlines between them.
"""

from typing import Any

import segno

QR_QUIET = 4  # modules around the code, as the standard wants
BARS_QUIET = 10
# Widths of bars and spaces by value; 103-105 start, 106 stop.
_CODE_128 = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
_WIDTHS = _CODE_128.split()
_START_B, _START_C, _TO_C, _STOP = 104, 105, 99, 106
_HIGH = 50  # a bar's height in the drawing; it is stretched to the label's


def drawn(value: Any) -> Any:
    """The value with a drawing beside every text to be scanned: `qr` gets `qr_svg` (of highest error
    correction), `bars` gets `bars_svg`."""
    match value:
        case list():
            return [drawn(one) for one in value]
        case dict():
            made = {name: drawn(one) for name, one in value.items()}
            if isinstance(value.get("qr"), str):
                made["qr_svg"] = qr(value["qr"])
            if isinstance(value.get("bars"), str):
                made["bars_svg"] = bars(value["bars"])
            return made
    return value


def qr(text: str) -> str:
    """A QR code of level H: a third of it may be lost in glare or under a finger. Any of the eight
    masks is valid; to weigh them all takes ten times as long as the rest."""
    matrix = segno.make_qr(text, error="h", mask=_mask(text), boost_error=False).matrix
    path = [
        f"M{start} {y}h{end - start}v1h-{end - start}z"
        for y, row in enumerate(matrix)
        for start, end in _runs(row)
    ]
    size = len(matrix) + 2 * QR_QUIET
    return _svg(f"{-QR_QUIET} {-QR_QUIET} {size} {size}", path)


def bars(text: str) -> str:
    """Code 128 of printable ASCII; an even run of digits at the end is packed by twos (set C)."""
    at, path = BARS_QUIET, []
    for value in _values(text):
        for number, width in enumerate(map(int, _WIDTHS[value])):
            if number % 2 == 0:
                path.append(f"M{at} 0h{width}v{_HIGH}h-{width}z")
            at += width
    return _svg(f"0 0 {at + BARS_QUIET} {_HIGH}", path, stretch=True)


def _values(text: str) -> list[int]:
    if not (text.isascii() and text.isprintable() and text):
        raise ValueError(f"{text!r} cannot be written in Code 128")
    digits = len(text) - len(text.rstrip("0123456789"))
    digits -= digits % 2
    packed = digits if digits >= 4 else 0
    plain, tail = text[: len(text) - packed], text[len(text) - packed :]
    values = [_START_B, *(ord(char) - 32 for char in plain)] if plain else [_START_C]
    if plain and tail:
        values.append(_TO_C)
    values += [int(tail[i : i + 2]) for i in range(0, len(tail), 2)]
    check = values[0] + sum(place * value for place, value in enumerate(values))
    return [*values, check % 103, _STOP]


def _mask(text: str) -> int:
    return sum(text.encode()) % 8


def _runs(row: Any) -> list[tuple[int, int]]:
    found, start = [], None
    for x, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            found.append((start, x))
            start = None
    return found


def _svg(box: str, path: list[str], *, stretch: bool = False) -> str:
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"{ratio}'
        f' shape-rendering="crispEdges"><path d="{"".join(path)}"/></svg>'
    )
