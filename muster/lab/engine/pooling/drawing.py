"""Tests a person by size of the tube, with the floor that no scheme can pass, as text and as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 320, 56, 44, 28, 16
_BAR = 40


@dataclass(frozen=True)
class Point:
    """A size with its tests a person and the floor of that size."""

    size: int
    tests: float
    floor: float


@dataclass(frozen=True)
class Captions:
    """The words in a drawing."""

    title: str
    size: str
    tests: str
    floor: str


ENGLISH = Captions("Tests a person by size of the tube", "people in a tube", "two stages", "floor")
CHINESE = Captions("每管人数与人均检测次数", "每管人数", "两级检测", "下限")


def text_plot(points: Sequence[Point], mark: int, words: Captions) -> str:
    """Bars of the tests, `|` at the floor, `*` at the marked size."""
    most = max((point.tests for point in points), default=1) or 1
    lines = [f"{words.title}  ({words.floor}: |)"]
    for point in points:
        bar = list("█" * round(_BAR * point.tests / most) + " " * _BAR)[: _BAR + 1]
        bar[min(_BAR, round(_BAR * point.floor / most))] = "|"
        lines.append(
            f"{'*' if point.size == mark else ' '}{point.size:>4} {''.join(bar).rstrip()} {point.tests:.4f}"
        )
    return "\n".join(lines)


def svg_plot(points: Sequence[Point], mark: int, words: Captions) -> str:
    """A document of its own: a line of tests, a dashed floor, a ring around the marked size."""
    first, last = points[0].size, max(points[-1].size, points[0].size + 1)
    most = max(max(point.tests for point in points), 0.05)

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (size - first) / (last - first)

    def y(tests: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * tests / most

    def line(values: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in values)

    ticks = [most * i / 4 for i in range(5)]
    step = max(1, (last - first) // 10)
    marked = next((point for point in points if point.size == mark), None)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="sans-serif" font-size="12">',
        f"<title>{words.title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="16">{words.title}</text>',
    ]
    parts += [
        f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.2f}</text>'
        for tick in ticks
    ]
    parts += [
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{size}</text>'
        for size in range(first, last + 1, step)
    ]
    parts += [
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{words.size}</text>',
        f'<polyline fill="none" stroke="#1f5fa8" stroke-width="2"'
        f' points="{line([(one.size, one.tests) for one in points])}"/>',
        f'<polyline fill="none" stroke="#a33" stroke-dasharray="5 4"'
        f' points="{line([(one.size, one.floor) for one in points])}"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}" fill="#1f5fa8">— {words.tests}</text>',
        f'<text x="{LEFT + 130}" y="{HEIGHT - 8}" fill="#a33">- - {words.floor}</text>',
    ]
    if marked:
        parts.append(
            f'<circle cx="{x(mark):.1f}" cy="{y(marked.tests):.1f}" r="6" fill="none" stroke="#000"/>'
            f'<text x="{x(mark):.1f}" y="{y(marked.tests) - 10:.1f}" text-anchor="middle">'
            f"{mark}: {marked.tests:.4f}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
