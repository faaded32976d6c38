"""What stands on papers, in Chinese and English. Each pair: 中文, English."""

W: dict[str, tuple[str, str]] = {
    "printed": ("{who} 打印于 {at} · 请勿拍照外传", "Printed by {who} at {at} · do not pass on"),
    "people": ("{count} 人", "{count} people"),
    "homes": ("{homes} 户 {count} 人", "{homes} homes, {count} people"),
    "scan_home": ("扫码（整户）", "Scan (the home)"),
    "home": ("住址", "Home"),
    "untested": ("未检人员", "Not tested"),
    "born": ("{year} 年生", "born {year}"),
    "male": ("男", "male"),
    "female": ("女", "female"),
    "guide": ("核酸检测怎么做", "How the test is done"),
    "guide_foot": ("有困难请找网格员或工作人员", "Ask the grid worker or anybody of the staff for help"),
    "step1": ("准备好个人码", "Have your code ready"),
    "step1_more": (
        "纸上的、截图都可以；没有就带身份证件。", "On paper or a screenshot; or bring a document.",
    ),
    "step2": ("排队隔两米", "Keep two metres apart"),
    "step2_more": ("戴好口罩，不要聚集。", "Wear your mask, do not crowd."),
    "step3": ("摘口罩，张大嘴", "Mask down, mouth open"),
    "step3_more": ("轮到你时再摘，只要十秒钟。", "When it is your turn; it takes ten seconds."),
    "step4": ("戴好口罩马上走", "Mask on, and leave"),
    "step4_more": ("不要在采样点停留、交谈。", "Do not stay or talk at the site."),
    "poster_foot": ("如标牌损坏，请联系街道重新打印", "If damaged, ask the street office for another"),
    "tube": ("采样管", "tube"),
    "bag": ("转运袋", "bag"),
    "box": ("转运箱", "box"),
    "codes": ("个人码", "Personal codes"),
    "labels": ("标签", "Labels"),
    "missing": ("未检名单", "Missing list"),
    "poster": ("采样点标牌", "Site poster"),
    "report": ("报告", "Report"),
    "slips": ("账号注册单", "Enrolment slips"),
    "common": ("公用部分（字体、页脚）", "Common part (fonts, footer)"),
}  # fmt: skip


def word(name: str, language: str, **facts: object) -> str:
    """A word in a language."""
    return W[name][language != "zh"].format_map(facts)
