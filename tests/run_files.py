"""Run files as instruments write them, made from the descriptions of their formats: a plate's readings
in, the bytes of an export out.

A reading is `well → "sample ORF1ab N IC"`, with - where there is no curve; NC and PC are the controls.
"""

from collections.abc import Iterator, Mapping

TARGETS = (("ORF1ab", "FAM"), ("N", "VIC"), ("RNase P", "CY5"))
CONTROLS = {"H11": "NC - - 26.11", "H12": "PC 28.02 29.30 25.70"}


def _rows(readings: Mapping[str, str]) -> Iterator[tuple[str, str, str, str, str]]:
    """(well, sample, target, dye, Ct or "") in the order of wells."""
    for well, text in sorted({**CONTROLS, **readings}.items()):
        sample, *values = text.split()
        for (target, dye), ct in zip(TARGETS, values, strict=True):
            yield well, sample, target, dye, "" if ct == "-" else ct


def quantstudio_text(plate: str, readings: Mapping[str, str]) -> bytes:
    """QuantStudio Real-Time PCR Software: a tabbed text with a header block and sections."""
    tasks = {"NC": "NTC", "PC": "POSITIVE_CONTROL"}
    lines = [
        "* Block Type = 96-Well 0.2-mL Block", f"* Experiment Barcode = {plate}",
        "* Experiment Name = morning", "* Experiment Type = Standard Curve",
        "* Instrument Name = QS5-1", "* Instrument Serial Number = 272510001",
        "* Instrument Type = QuantStudio(TM) 5 System", "* Passive Reference = ROX",
        "* Quantification Cycle Method = Ct", "", "[Sample Setup]",
        "Well\tWell Position\tSample Name\tTarget Name\tTask\tReporter\tQuencher",
    ]  # fmt: skip
    rows = list(_rows(readings))
    numbered = [(_number(well), f"{well[0]}{int(well[1:])}", *rest) for well, *rest in rows]
    lines += [
        f"{n}\t{well}\t{sample}\t{target}\t{tasks.get(sample, 'UNKNOWN')}\t{dye}\tNFQ-MGB"
        for n, well, sample, target, dye, _ct in numbered
    ]
    lines += [
        "",
        "[Results]",
        "Well\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tReporter\tQuencher\tCT",
    ]
    lines += [
        f"{n}\t{well}\tfalse\t{sample}\t{target}\t{tasks.get(sample, 'UNKNOWN')}\t{dye}\tNFQ-MGB"
        f"\t{ct or 'Undetermined'}"
        for n, well, sample, target, dye, ct in numbered
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def cfx_csv(readings: Mapping[str, str]) -> bytes:
    """CFX Maestro, "Quantification Cq Results": a row a well and dye, NaN where there is no curve."""
    content = {"NC": "NTC", "PC": "Pos Ctrl"}
    lines = [",Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,Cq Std. Dev,"
             "Starting Quantity (SQ),Log Starting Quantity,SQ Mean,SQ Std. Dev,Set Point,Well Note"]  # fmt: skip
    lines += [
        f",{well},{dye},{target},{content.get(sample, 'Unkn')},"
        f"{'' if sample in content else sample},,{ct or 'NaN'},{ct or 0},0,NaN,NaN,NaN,0,60,"
        for well, sample, target, dye, ct in _rows(readings)
    ]
    return ("\n".join(lines) + "\n").encode()


def chinese_csv(plate: str, readings: Mapping[str, str]) -> bytes:
    """A domestic machine's table with Chinese headers, GB 18030, decimal comma, NoCt."""
    names = {"NC": "阴性对照", "PC": "阳性对照"}
    lines = ["板号,孔位,样本编号,样本类型,靶标,Ct值"]
    lines += [
        f"{plate},{well},{names.get(sample, sample)},{names.get(sample, '样本')},{target},"
        + (f'"{ct.replace(".", ",")}"' if ct else "NoCt")
        for well, sample, target, _dye, ct in _rows(readings)
    ]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def _number(well: str) -> int:
    """The well's number along the rows."""
    return (ord(well[0]) - ord("A")) * 12 + int(well[1:])
