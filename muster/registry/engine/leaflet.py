"""The answer to "what is held about me" as a page to print: one file, no script, nothing loaded from
elsewhere, in Chinese and English.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

_TITLES = {
    "identities": ("身份信息", "Identity"),
    "addresses": ("住址与状态", "Address and state"),
    "swabs": ("采样与结果", "Swabs and results"),
    "recalls": ("复检召回", "Recalls"),
    "stances": ("拒检与豁免", "Refusals and exemptions"),
    "merges": ("编号合并", "Ids joined or kept apart"),
    "objections": ("异议", "Objections"),
    "notes": ("备注文字", "Free text"),
    "said": ("有关记录", "What was recorded"),
    "held": ("无法读取的收件", "Held, because it could not be read"),
    "readings": ("谁查看过", "Who looked"),
}
_RIGHTS = (
    "您可以要求更正，对记录提出异议，或要求删除。",
    "You may have errors corrected, object to what is recorded, and ask to be erased.",
)
_STYLE = (
    "body{font:14px/1.5 sans-serif;margin:2em;color:#111}h1{font-size:20px}h2{font-size:16px;"
    "margin:1.4em 0 .3em}table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;"
    "padding:2px 6px;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}"
    "p.none{color:#555}@media print{body{margin:0}h2{break-after:avoid}tr{break-inside:avoid}}"
)
_IDS = {"resident", "tube", "objection", "export", "building_code"}  # they say nothing on paper
Head = Callable[[str], tuple[str, str]]  # of a column: in Chinese and in English


def leaflet(
    found: Mapping[str, Any], *, as_of: str, head: Head, cell: Callable[[str, Any], str]
) -> str:
    """The page. `cell` writes a value of a column as text."""
    parts = [
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">',
        "<title>集结 Muster</title>",
        f"<style>{_STYLE}</style></head><body>",
        "<h1>关于您的信息 / What is held about you</h1>",
        f"<p>{escape(as_of)}</p><p>{_RIGHTS[0]}<br>{_RIGHTS[1]}</p>",
    ]
    for section, (chinese, english) in _TITLES.items():
        parts.append(f"<h2>{chinese} / {english}</h2>")
        parts.append(_table(found.get(section) or [], head, cell))
    return "".join([*parts, "</body></html>"])


def _table(rows: Sequence[Mapping[str, Any]], head: Head, cell: Callable[[str, Any], str]) -> str:
    if not rows:
        return '<p class="none">没有 / nothing</p>'
    columns = [
        name for name in rows[0]
        if name not in _IDS and any(row[name] not in (None, "", []) for row in rows)
    ]  # fmt: skip
    heads = "".join(f"<th>{'<br>'.join(map(escape, head(name)))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(name, row[name]))}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{heads}</tr>{body}</table>"
