"""Exports as the makes' software writes them, each read as a person would read it. Where allotropy
knows the make, it has read the same."""

import zipfile

import pytest
import xlsxwriter

from tests.instruments.conftest import FILES, Desk, table


def read_by(run) -> list[str]:
    return [reader.split()[0] for reader in run.readers]


def test_quantstudio_text(desk: Desk) -> None:
    run = desk.read("quantstudio.txt", witness=True)
    assert (run.format, run.plate, run.wells) == ("quantstudio", "PL0007", 96)
    assert (run.instrument, run.serial) == ("QuantStudio(TM) 5 System", "272510001")
    assert str(run.ended_at) == "2021-08-03 01:09:19+00:00"  # CST is China's here
    assert read_by(run) == ["muster", "allotropy"]
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @34",
        "A01 N TUBE0001 sample 24.001 @35",
        "A01 RNase P TUBE0001 sample 27.120 @36",
        "A02 ORF1ab TUBE0002 sample none @37",
        "A02 N TUBE0002 sample none @38",
        "A02 RNase P TUBE0002 sample 26.900 @39",
        "H11 ORF1ab PC positive_control 25.000 @40",
        "H11 N PC positive_control 25.500 @41",
        "H11 RNase P PC positive_control 28.000 @42",
        "H12 ORF1ab - no_template_control none @43",
        "H12 N - no_template_control none @44",
        "H12 RNase P - no_template_control none @45",
    ]


def test_a_7500s_old_workbook(desk: Desk) -> None:
    run = desk.read("7500.xls", witness=True)
    assert (run.format, run.instrument, run.wells) == ("quantstudio", "sds7500fast", 96)
    assert read_by(run) == ["muster", "allotropy"]
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @9",
        "A01 N TUBE0001 sample none @10",
        "H12 ORF1ab - no_template_control none @11",
    ]


def test_sds_names_targets_detectors(desk: Desk) -> None:
    run = desk.read("sds.csv", witness=True)
    assert (run.format, run.plate, read_by(run)) == ("abi-sds", "PL0007", ["muster"])
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @5",
        "A01 N TUBE0001 sample none @6",
        "H12 ORF1ab - no_template_control none @7",
    ]


def test_design_and_analysis(desk: Desk) -> None:
    run = desk.read("design-and-analysis.csv", witness=True)
    assert (run.format, run.plate, run.wells) == ("quantstudio-design-and-analysis", "PL0007", 384)
    assert run.software == "Design & Analysis Software v2.6.0"
    assert str(run.started_at) == "2021-08-03 00:00:00+00:00"
    assert read_by(run) == ["muster", "allotropy"]
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @16",
        "A01 N TUBE0001 sample none @17",
        "P24 N TUBE0384 sample 21.200 @19",
    ]
    assert run.not_run == (("P24", "ORF1ab"),)  # ticked as omitted


def test_cfx_maestro(desk: Desk) -> None:
    run = desk.read("cfx-cq-results.csv", witness=True)
    assert (run.format, read_by(run)) == ("cfx-maestro", ["muster", "allotropy"])
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @2",
        "A02 ORF1ab TUBE0002 sample none @3",
        "H11 ORF1ab - positive_control 25.000 @5",
        "H12 ORF1ab - no_template_control none @6",
        "A01 N TUBE0001 sample 24.000 @7",
        "A02 N TUBE0002 sample none @8",
        "H11 N - positive_control 25.500 @9",
        "H12 N - no_template_control none @10",
    ]


def test_cfx_maestro_on_a_european_computer(desk: Desk) -> None:
    run = desk.read("cfx-europe.csv", witness=True)
    assert (run.plate, run.serial, run.software) == ("PL0007", "785BR20000", "5.3.022.1030.")
    assert str(run.started_at) == "2021-08-03 01:00:12+00:00"
    assert read_by(run) == ["muster", "allotropy"]
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.460 @14",
        "A02 ORF1ab TUBE0002 sample none @15",
        "H12 ORF1ab - no_template_control none @16",
    ]


def test_a_domestic_export_in_gb18030_with_full_width_letters(desk: Desk) -> None:
    run = desk.read("gentier.csv", witness=True)
    assert (run.format, run.plate, run.serial) == ("gentier", "PL0007", "GT0001")
    assert str(run.ended_at) == "2021-08-03 01:10:00+00:00"
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.460 @9",
        "A01 N TUBE0001 sample 24.010 @10",
        "A02 ORF1ab TUBE0002、TUBE0003 sample none @11",  # two barcodes: as written
        "A02 N TUBE0002、TUBE0003 sample none @12",
        "H11 ORF1ab 阳性 positive_control 25.000 @14",
        "H12 ORF1ab 阴性 negative_control none @15",
    ]


def test_a_column_for_each_target(desk: Desk) -> None:
    run = desk.read("wide.csv")
    assert (run.format, run.plate) == ("general-wide", "PL0007")
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.460 @2",
        "A01 N TUBE0001 sample 24.010 @2",
        "A01 内标 TUBE0001 sample 27.100 @2",
        "A02 ORF1ab TUBE0002 sample none @3",
        "A02 N TUBE0002 sample none @3",
        "A02 内标 TUBE0002 sample 26.900 @3",
        "H12 ORF1ab NTC no_template_control none @5",
        "H12 N NTC no_template_control none @5",
        "H12 内标 NTC no_template_control none @5",
    ]


def test_slan_workbook_with_curves_behind_the_table(desk: Desk, tmp_path) -> None:
    heads = ["反应孔", "孔颜色", "样本名称", "样本编号", "样本属性", "通道", "染料", "目标", "颜色",
             "类型", "标准值", "单位", "Ct", *range(1, 41)]  # fmt: skip
    rows = [
        [
            "A1",
            "",
            "TUBE0001",
            "",
            "",
            1,
            "FAM",
            "ORF1ab",
            "",
            "待测样本",
            "",
            "",
            23.46,
            *[0.5] * 40,
        ],
        ["A1", "", "TUBE0001", "", "", 2, "VIC", "N", "", "待测样本", "", "", "NoCt", *[0.5] * 40],
        ["H12", "", "空白", "", "", 1, "FAM", "", "", "空白对照", "", "", "NoCt", *[0.5] * 40],
    ]
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("扩增曲线").write_row(0, 0, ["Well", "Target", "Ct"])
    sheet = book.add_worksheet("实验数据")
    sheet.write_row(2, 0, ["开始时间", "2021-08-03 08:00:00"])
    for line, row in enumerate([heads, *rows], 13):
        sheet.write_row(line, 0, row)
    book.close()
    run = desk.read("a.xlsx", path.read_bytes())
    assert (run.format, str(run.started_at)) == ("slan", "2021-08-03 00:00:00+00:00")
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.460 @15",
        "A01 N TUBE0001 sample none @16",
        "H12 FAM 空白 no_template_control none @17",
    ]


@pytest.mark.parametrize("packed", [True, False])
def test_rdml(desk: Desk, tmp_path, packed) -> None:
    content = (FILES / "plate.rdml.xml").read_bytes()
    if packed:
        with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rdml_data.xml", content)
        content = (tmp_path / "a").read_bytes()
    run = desk.read("plate.rdml", content)
    assert (run.format, run.instrument, run.software) == ("rdml-1.3", "LightCycler 96", "LC96 1.1")
    assert (run.wells, run.not_run) == (96, (("B01", "N"),))
    assert table(run) == [
        "A01 ORF1ab TUBE0001 sample 23.456 @-",
        "A01 N TUBE0001 sample none @-",
        "B01 ORF1ab TUBE0002 sample none @-",
        "H11 ORF1ab PC positive_control 25.000 @-",
        "H11 N PC negative_control none @-",
        "H12 ORF1ab NTC no_template_control none @-",
    ]


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_versions_of_rdml(desk: Desk, version) -> None:
    text = (
        (FILES / "plate.rdml.xml")
        .read_text("utf-8")
        .replace('version="1.3"', f'version="{version}"')
    )
    run = desk.read("a", text)
    assert (run.format, len(run.readings)) == (f"rdml-{version}", 6)
