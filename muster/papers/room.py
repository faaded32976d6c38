"""What is put onto papers: people, homes, labels, sites as the templates take them."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from urllib.parse import quote, unquote
from uuid import UUID

from muster.papers.words import word

FormKind = Literal["form", "household"]
Group = Literal["none", "building", "grid", "home"]
Rows = Sequence[dict[str, Any]]
Codes = dict[UUID, str]
SITE_PREFIX = "S:"  # of a poster's code, so that it is never taken for a person's or a tube's
SITE_PATH = "/r/s/"  # of the page where residents list themselves for a site
_POSTER = re.compile(r"https?://[^/\s]{1,255}/r/s/([^/?#\s]{1,200})(?:[?#].*)?", re.IGNORECASE)


def foot(language: str, who: str, at: datetime) -> str:
    """Who printed a paper, and when."""
    return word("printed", language, who=who, at=at.strftime("%Y-%m-%d %H:%M"))


def place_of(one: dict[str, Any]) -> str:
    """Where somebody lives, as it stands on their card."""
    return f"{one['building_name'] or ''} {one['room']}".strip()


def site_address(code: str, address: str | None) -> str:
    """What a poster's QR code holds: the address of the site's page, or where the address of the server
    is not known what staff scan only."""
    return (
        f"{address.rstrip('/')}{SITE_PATH}{quote(code, safe='')}" if address else SITE_PREFIX + code
    )


def site_code(text: str) -> str | None:
    """The site whose poster was scanned, in either form; None where it was none."""
    if text.startswith(SITE_PREFIX):
        return text.removeprefix(SITE_PREFIX)
    found = _POSTER.fullmatch(text)
    return unquote(found[1]) if found else None


def code_cards(
    people: Rows, codes: Codes, grids: dict[UUID, dict[str, Any]], *, group: Group, language: str,
    columns: int, foot: str, prefix: str,
) -> dict[str, Any]:  # fmt: skip
    """Cards of people in the order of the walk, a page anew for each group."""

    def key(one: dict[str, Any]) -> Any:
        if group == "home":
            return one["building"], one["room"]
        if group == "building":
            return one["building"]
        return grids.get(one["building"], {}).get("grid") if group == "grid" else None

    groups = []
    for _, members in groupby(people, key):
        held = list(members)
        cards = [
            {"qr": prefix + codes[one["resident"]].replace("-", ""), "code": codes[one["resident"]],
             "name": one["name"] or "", "place": place_of(one)}
            for one in held
        ]  # fmt: skip
        title = _title(held[0], grids, group)
        groups.append(
            {"title": title, "count": word("people", language, count=len(held)), "people": cards}
        )
    return {"language": language, "columns": columns, "foot": foot, "groups": groups}


def missing_lists(
    people: Rows, codes: Codes, grids: dict[UUID, dict[str, Any]], *, round: str, language: str,
    foot: str, prefix: str, most: int,
) -> dict[str, Any]:  # fmt: skip
    """A list for each grid worker: homes in the order of the walk, one code for all (at `most`) who are missing in
    a home, and a short code for each."""
    groups = []
    for _, held in groupby(people, lambda one: grids.get(one["building"], {}).get("grid")):
        members = list(held)
        homes = []
        for _, here in groupby(members, lambda one: (one["building"], one["room"])):
            home = list(here)
            told = [codes[one["resident"]].replace("-", "") for one in home]
            homes.append(
                {
                    "qr": prefix + "+".join(told[:most]), "place": place_of(home[0]),
                    "people": [
                        {"name": one["name"] or "", "about": _about(one, language),
                         "code": codes[one["resident"]]}
                        for one in home
                    ],
                }
            )  # fmt: skip
        count = word("homes", language, homes=len(homes), count=len(members))
        groups.append({"title": _title(members[0], grids, "grid"), "count": count, "homes": homes})
    heads = [word(one, language) for one in ("scan_home", "home", "untested")]
    return {"language": language, "round": round, "heads": heads, "foot": foot, "groups": groups}


def posters(sites: Rows, language: str, address: str | None = None) -> dict[str, Any]:
    """Posters of sites; with the server's `address` residents list themselves by their code."""
    made = [
        {"name": one["name"], "code": one["code"], "qr": site_address(one["code"], address),
         "open": bool(address),
         "place": " ".join(filter(None, (one["above_name"], one["area_name"])))}
        for one in sites
    ]  # fmt: skip
    return {"language": language, "foot": word("poster_foot", language), "sites": made}


def forms(
    kind: FormKind, language: str, site: dict[str, Any] | None, copies: int
) -> dict[str, Any]:
    """Blank forms: of one person with a box a character, or of a home with a line a person. The site,
    where one is named, is read off their code when they are keyed in."""

    def said(name: str) -> str:
        return word(name, language)

    def boxes(name: str, count: int, hint: str = "", groups: Sequence[int] = ()) -> dict[str, Any]:
        return {
            "label": said(name), "hint": said(hint) if hint else "", "kind": "boxes", "count": count,
            "groups": list(groups),
        }  # fmt: skip

    def choice(name: str, *options: str) -> dict[str, Any]:
        return {
            "label": said(name),
            "hint": "",
            "kind": "choice",
            "options": list(map(said, options)),
        }

    line = {"label": said("form_building"), "hint": "", "kind": "line"}
    data = {
        "language": language, "title": said(kind), "foot": said("form_foot"), "copies": copies,
        "advice": said("form_advice"), "privacy": said("form_privacy"),
        "place": f"{site['name']} {site['code']}" if site else "",
    }  # fmt: skip
    if site:
        data["qr"] = SITE_PREFIX + site["code"]
    if kind == "household":
        return data | {
            "rows": 10, "head": [said("form_building"), said("form_room"), said("form_barcode")],
            "heads": ["", *map(said, ("form_name", "form_number", "form_phone", "home_position", "home_note"))],
        }  # fmt: skip
    return data | {
        "fields": [
            boxes("form_name", 14),
            choice("form_kind", "kind_card", "kind_passport", "kind_permit", "kind_other", "kind_none"),
            boxes("form_number", 18, groups=(6, 8, 4)),
            boxes("form_birth", 8, "form_birth_hint", groups=(4, 2, 2)),
            boxes("form_phone", 11, "form_phone_hint", groups=(3, 4, 4)),
            line, boxes("form_room", 10),
            choice("form_reason", "home_bedridden", "home_infant", "home_disability", "home_isolation"),
        ],
        "staff": said("form_staff"),
        "staff_fields": [
            boxes("form_barcode", 20), boxes("form_position", 2), boxes("form_time", 4, groups=(2, 2)),
        ],
    }  # fmt: skip


def guide(language: str, sample_svg: str) -> dict[str, Any]:
    """The four steps in pictures."""
    steps = [
        {"text": word(f"step{n}", language), "more": word(f"step{n}_more", language)}
        for n in range(1, 5)
    ]
    return {
        "language": language, "title": word("guide", language), "foot": word("guide_foot", language),
        "size_pt": 27 if language == "zh" else 22, "sample_svg": sample_svg, "steps": steps,
    }  # fmt: skip


def _title(one: dict[str, Any], grids: dict[UUID, dict[str, Any]], group: Group) -> str:
    grid = grids.get(one["building"], {})
    parts = [grid.get("above_name"), grid.get("grid_name")]
    if group in ("building", "home"):
        parts.append(one["building_name"])
    if group == "home":
        parts.append(one["room"])
    return " · ".join(filter(None, parts))


def _about(one: dict[str, Any], language: str) -> str:
    said = [word(one["sex"], language)] if one.get("sex") in ("male", "female") else []
    if one.get("birth_year"):
        said.append(word("born", language, year=one["birth_year"]))
    return " ".join(said)
