"""Sheets of labels as they are sold, as data: millimetres on the page, points of the letters."""

from typing import Literal, get_args

import msgspec

LayoutName = Literal["a4-65", "a4-24", "a4-8"]


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the labels are on a page. `step`: from one label's edge to the next one's."""

    name: LayoutName
    columns: int
    rows: int
    width_mm: float
    height_mm: float
    left_mm: float
    top_mm: float
    step_x_mm: float
    step_y_mm: float
    bars_mm: float
    number_pt: float
    small_pt: float
    page_width_mm: float = 210.0
    page_height_mm: float = 297.0

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


LAYOUTS: dict[str, Layout] = {
    one.name: one
    for one in (
        # 38.1 × 21.2 mm: around a tube
        Layout(
            name="a4-65", columns=5, rows=13, width_mm=38.1, height_mm=21.2, left_mm=4.65, top_mm=10.7,
            step_x_mm=40.64, step_y_mm=21.2, bars_mm=10.0, number_pt=8.0, small_pt=6.0,
        ),
        # 63.5 × 33.9 mm: on a bag
        Layout(
            name="a4-24", columns=3, rows=8, width_mm=63.5, height_mm=33.9, left_mm=7.25, top_mm=12.9,
            step_x_mm=66.04, step_y_mm=33.9, bars_mm=17.0, number_pt=12.0, small_pt=9.0,
        ),
        # 99.1 × 67.7 mm: on a box
        Layout(
            name="a4-8", columns=2, rows=4, width_mm=99.1, height_mm=67.7, left_mm=4.65, top_mm=13.1,
            step_x_mm=101.6, step_y_mm=67.7, bars_mm=36.0, number_pt=20.0, small_pt=14.0,
        ),
    )
}  # fmt: skip
assert set(LAYOUTS) == set(get_args(LayoutName))


def sheets(labels: list[dict[str, str]], layout: Layout, *, skip: int = 0) -> list[list[object]]:
    """The labels by page; the first `skip` places of the first page are used up already."""
    places: list[object] = [*([None] * (skip % layout.per_page)), *labels]
    size = layout.per_page
    return [places[i : i + size] for i in range(0, len(places), size)]
