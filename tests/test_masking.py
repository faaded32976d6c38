"""What of a name, a number, a phone is shown to who need not know it."""

import pytest

from muster.registry.engine.masking import masked_name, masked_number, masked_phone, masked_row
from tests.import_files import number


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张丽华", "张*华"), ("张华", "张*"), ("张", "*"), ("欧阳丽华", "欧**华"),
        ("John Smith", "J*** S****"), ("Ōta", "Ō**"), ("玛丽 Smith", "玛* S****"), ("", ""),
    ],
)  # fmt: skip
def test_a_name_keeps_its_ends(name: str, shown: str):
    assert masked_name(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("11010519491231002X", "1101**********002X"), ("E12345678", "*******78"), ("1234", "****")],
)
def test_a_number_keeps_four_and_four(text: str, shown: str):
    assert masked_number(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("13811111111", "138****1111"), ("63211234", "******34"), ("110", "****")],
)
def test_a_phone_keeps_three_and_four(text: str, shown: str):
    assert masked_phone(text) == shown


def test_a_row_says_no_more_than_its_masks():
    row = {
        "name": "张丽华", "pinyin": "zhanglihua", "initials": "zlh", "birth_date": "1990-01-01",
        "number": number(), "phone": "13811111111", "room": "101", "building_name": "1号楼",
        "members": None,
    }  # fmt: skip
    assert masked_row(row) == {
        "name": "张*华", "number": f"{number()[:4]}**********{number()[-4:]}",
        "phone": "138****1111", "room": "101", "building_name": "1号楼", "members": None,
    }  # fmt: skip
