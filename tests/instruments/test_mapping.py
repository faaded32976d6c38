"""An operator's own mapping: the machine nobody knew becomes one that is read."""

from pathlib import Path

import pytest

from muster.instruments.faults import MappingInvalid
from muster.instruments.mapping import in_order, mappings_in, parse_mapping, shipped_mappings
from tests.instruments.conftest import Desk, table

LONG = """
id = "acme"
title = "Acme 9600"
wells = 96
fill_down = ["well", "sample"]

[recognise]
text = ["Acme"]

[columns]
well = ["No"]
sample = ["Tube"]
target = ["Dye"]
ct = ["Cycle"]
role = ["Kind"]

[channels]
FAM = "ORF1ab"
VIC = "N"

[roles]
positive_control = ["P"]

[facts]
plate = ["Tray"]
"""
WIDE = """
id = "wide"
title = "A wide table"
layout = "wide"

[columns]
well = ["No"]
sample = ["Tube"]

[wide]
columns = { ORF1ab = ["Green"], N = ["Yellow", "Orange"] }
"""
MINIMAL = 'id = "a"\ntitle = "A"\n[columns]\nwell = ["w"]\ntarget = ["t"]\nct = ["c"]\n'


def test_a_long_table_with_numbered_wells_and_merged_cells(desk: Desk) -> None:
    text = (
        "Acme 9600 report\nTray: PL1\nNo,Tube,Dye,Kind,Cycle\n"
        "13,T1,FAM,,23\n,,VIC,,24\n14,,FAM,,\n96,,FAM,P,25\n"
    )
    run = desk.read("a.csv", text, mappings=[parse_mapping(LONG, file="acme.toml")])
    assert (run.format, run.plate, run.wells) == ("acme", "PL1", 96)
    assert table(run) == [
        "B01 ORF1ab T1 sample 23.000 @4",
        "B01 N T1 sample 24.000 @5",
        "B02 ORF1ab - sample none @6",
        "H12 ORF1ab - positive_control 25.000 @7",
    ]


def test_a_wide_table_with_declared_columns(desk: Desk) -> None:
    mapping = parse_mapping(WIDE, file="wide.toml")
    run = desk.read("a.csv", "No,Tube,Green,Orange\nA1,T1,23,-\n", mappings=[mapping])
    assert table(run) == ["A01 ORF1ab T1 sample 23.000 @2", "A01 N T1 sample none @2"]


def test_one_target_for_a_file_without_a_column_for_it(desk: Desk) -> None:
    own = MINIMAL.replace('target = ["t"]\n', "").replace("[columns]", 'target = "N"\n[columns]')
    run = desk.read("a.csv", "w,c\nA1,23\n", mappings=[parse_mapping(own, file="a")])
    assert table(run) == ["A01 N - sample 23.000 @2"]


def test_own_mappings_go_before_the_shipped_and_replace_them_by_id(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(MINIMAL.replace('"a"', '"slan"'), encoding="utf-8")
    (tmp_path / "a.toml").write_text(MINIMAL, encoding="utf-8")
    own = mappings_in(tmp_path)
    ids = [mapping.id for mapping in in_order(own)]
    shipped = [mapping.id for mapping in shipped_mappings() if mapping.id != "slan"]
    assert ids == ["a", "slan", *shipped]
    assert mappings_in(tmp_path / "nowhere") == ()


def test_every_shipped_mapping_is_valid_and_the_general_ones_come_last() -> None:
    ids = [mapping.id for mapping in shipped_mappings()]
    assert {"quantstudio", "cfx-maestro", "slan", "gentier", "linegene"} <= {*ids}
    assert ids[-2:] == ["general", "general-wide"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "Invalid"),
        (MINIMAL.replace("well", "wel"), "wel"),
        (MINIMAL.replace('ct = ["c"]\n', ""), r"\[columns\] lacks ct"),
        (MINIMAL.replace('["w"]', '"w"'), r"\$\.columns"),
        (MINIMAL.replace('"a"', '"A B"'), r"\$\.id"),
        (MINIMAL + "[extra]\n", "extra"),
        (MINIMAL.replace("[columns]", "wells = 48\n[columns]"), r"\$\.wells"),
        (MINIMAL.replace("[columns]", 'layout = "wide"\n[columns]'), r"under \[wide\]"),
        (WIDE + 'pattern = "(Ct"\n', "regular expression"),
        (WIDE + 'pattern = "Ct"\n', "group"),
    ],
)
def test_a_mapping_that_is_not_valid_says_where(text, says) -> None:
    with pytest.raises(MappingInvalid, match=says) as caught:
        parse_mapping(text, file="own.toml")
    assert "own.toml" in caught.value.message("zh")


def test_two_mappings_with_one_id(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(MINIMAL, encoding="utf-8")
    with pytest.raises(MappingInvalid, match=r"b.toml .* the id a is taken"):
        mappings_in(tmp_path)
