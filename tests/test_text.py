"""Cleaning, folding and spelling of what people type."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.core.text import clean, fold, pinyin, simplified, without_glosses


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("  two   spaces ", "two spaces"),
        ("３栋２单元（东）", "3栋2单元(东)"),
        ("张\u3000三", "张 三"),
        ("\ufeff张三\u200b", "张三"),
        ("line\r\nbreak\ttab", "line break tab"),
        ("nul\x00bell\x07", "nulbell"),
        ("\ud800half", "half"),
        ("rare \ue86b name", "rare \ue86b name"),  # private use: a rare character of some register
        ("ｱﾊﾟｰﾄ", "アパート"),
    ],
)
def test_clean(typed, cleaned):
    assert clean(typed) == cleaned


@given(st.text())
def test_clean_twice_is_clean_once(text):
    assert clean(clean(text)) == clean(text)
    assert unicodedata.is_normalized("NFKC", clean(text))
    assert clean(f" {text}\u200b") == clean(text)


@pytest.mark.parametrize(
    ("typed", "without"),
    [
        ("網(wǎng)絡(luò)", "網絡"),
        ("中國（guó）人", "中國人"),
        ("日(ri)", "日"),
        ("绿(lü)", "绿"),
        ("女(nǚ)", "女"),
        ("核酸(PCR)", "核酸(PCR)"),
        ("电话(tel)", "电话(tel)"),
        ("组(A)", "组(A)"),
        ("室(3)", "室(3)"),
    ],
)
def test_without_glosses(typed, without):
    assert without_glosses(typed) == without


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("身份證號碼", "身份证号码"),
        ("網(wǎng)絡(luò)名稱", "网络名称"),
        ("ID_Number", "id number"),
        ("ＩＤ　Ｎｕｍｂｅｒ", "idnumber"),
        ("煙台市，，芝罘區", "烟台市,芝罘区"),
    ],
)
def test_fold_makes_equal(one, other):
    assert fold(one) == fold(other)


def test_fold_keeps_apart_what_differs():
    assert fold("5-2") != fold("52")


def test_simplified_reads_phrases():
    assert simplified("乾隆著名資訊") == "乾隆著名资讯"


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("张丽华", ("zhanglihua", "zlh")),
        ("單三", ("shansan", "ss")),
        ("曾三", ("zengsan", "zs")),
        ("解三", ("xiesan", "xs")),
        ("仇三", ("qiusan", "qs")),
        ("区三", ("ousan", "os")),
        ("查三", ("zhasan", "zs")),
        ("翟三", ("zhaisan", "zs")),
        ("尉迟三", ("yuchisan", "ycs")),
        ("尉遲三", ("yuchisan", "ycs")),
        ("单于三", ("chanyusan", "cys")),
        ("三解", ("sanjie", "sj")),  # a given name is read as usual
        ("吕三", ("lvsan", "ls")),
        ("阿依·古丽", ("ayiguli", "aygl")),
        ("John Smith", ("johnsmith", "js")),
        ("单 Li三", ("shanlisan", "sls")),
        ("3号", ("3hao", "3h")),
        ("", ("", "")),
        ("\ue86b", ("", "")),
    ],
)
def test_pinyin(name, spelled):
    assert pinyin(name) == spelled


@given(st.text())
def test_pinyin_is_lower_case_letters_and_digits(text):
    full, initials = pinyin(text)
    assert len(initials) <= len(full)
    assert full == full.lower()
    assert not any(char.isspace() for char in full)
