"""What is put onto papers about those who carry it: badges, team lists, duty rosters, certificates, the sheet of a
post. Colours are said, and drawn with a pattern, so that they are told apart in black and white.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from muster.papers.words import word

Rows = Sequence[dict[str, Any]]
BADGE_PREFIX = "W:"  # of a badge's code, so that it is never taken for a resident's
_STRIPS = {
    "solid": "M0 0h60v8h-60z",
    "stripes": "".join(f"M{x} 8l4 -8h4l-4 8z" for x in range(0, 56, 8)),
    "dots": "".join(
        f"M{x} 4m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0 -3.2 0z" for x in range(4, 60, 6)
    ),
    "checks": "".join(
        f"M{x} {y}h4v4h-4z" for x in range(0, 60, 4) for y in (0, 4) if (x + y) % 8 == 0
    ),
    "bars": "".join(f"M{x} 0h2v8h-2z" for x in range(1, 60, 5)),
    "lines": "".join(f"M0 {y}h60v1h-60z" for y in (1, 3.5, 6)),
    "grid": "".join(f"M{x} 0h.7v8h-.7z" for x in range(2, 60, 5))
    + "M0 2h60v.7h-60zM0 5.3h60v.7h-60z",
    "plain": "",
}


def strip(ink: str, pattern: str) -> str:
    """A team's colour as a strip with its pattern, framed."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 8">'
        f'<path d="{_STRIPS[pattern]}" fill="{ink}"/>'
        f'<rect x="0.3" y="0.3" width="59.4" height="7.4" fill="none" stroke="{ink}" stroke-width="0.6"/></svg>'
    )


def badges(team: dict[str, Any], people: Rows, *, language: str, foot: str) -> dict[str, Any]:
    """Badges of a team's people; a person's code names their entry on the register."""
    cards = [
        {"qr": BADGE_PREFIX + one["code"], "name": one["name"] or "", "unit": one["unit_name"] or "",
         "part": word(f"team_{one['part']}", language)}
        for one in people
    ]  # fmt: skip
    return {
        "language": language, "foot": foot, "team": f"{team['name']} {team['code']}",
        "colour": _colour(team, language), "badge": team["badge"] or "", "people": cards,
    } | _strip(team)  # fmt: skip


def team_lists(
    teams: Sequence[tuple[dict[str, Any], Rows, dict[str, dict[str, int | str]]]], *, language: str, foot: str
) -> dict[str, Any]:  # fmt: skip
    """A page a team: who is in it, and what it is made of."""
    pages = [
        {"title": f"{team['name']} {team['code']}", "colour": _colour(team, language),
         "facts": [f"{word(f'team_{name}', language)}: {team[name]}"
                   for name in ("area_name", "lodging", "vehicle", "badge") if team[name]],
         "people": [[str(n), one["name"] or "", one["unit_name"] or "", word(f"team_{one['part']}", language),
                     "、".join(one["skills"] or ()) if language == "zh" else ", ".join(one["skills"] or ())]
                    for n, one in enumerate(people, 1)],
         "count": word("people", language, count=team["people"]),
         "figures": [[word(f"made_{name}", language),
                      " · ".join(f"{_value(value, language)} {count}" for value, count in cells.items())]
                     for name, cells in composition.items() if cells]} | _strip(team)
        for team, people, composition in teams
    ]  # fmt: skip
    heads = [
        "#",
        *(word(one, language) for one in ("form_name", "team_unit", "team_part", "team_skills")),
    ]
    return {
        "language": language, "foot": foot, "heads": heads, "made_of": word("made_of", language),
        "few": word("made_few", language), "teams": pages,
    }  # fmt: skip


def roster(
    rows: Rows, *, title: str, day: str, roles: dict[str, str], language: str, foot: str
) -> dict[str, Any]:
    """Who is on duty under an area on a day, place by place and shift by shift."""
    places = []
    for place, held in groupby(rows, lambda one: one["place_name"]):
        lines = [
            [f"{one['from']}–{one['to']}", roles.get(one["role"], one["role"]), one["name"] or "",
             one["unit_name"] or "", ""]
            for one in held
        ]  # fmt: skip
        places.append({"title": place or "", "lines": lines})
    heads = [
        word(one, language)
        for one in ("roster_time", "roster_role", "form_name", "team_unit", "roster_sign")
    ]
    return {
        "language": language, "foot": foot, "title": word("roster", language), "place": title, "day": day,
        "heads": heads, "places": places, "nobody": word("roster_nobody", language),
    }  # fmt: skip


def certificates(
    people: Rows, *, campaign: str, since: str, until: str, issued: str, language: str, foot: str
) -> dict[str, Any]:
    """A page a person: what they did. Nothing of what befell them, nor of anybody else."""
    made = [
        {"name": one["name"] or "", "unit": one["unit_name"] or "",
         "text": word("certificate_text", language, campaign=campaign, since=since, until=until),
         "figures": [[word("certificate_days", language), str(one["days"])],
                     [word("certificate_posts", language), str(one["posts"])],
                     [word("certificate_hours", language), f"{one['minutes'] / 60:.1f}"]]}
        for one in people
    ]  # fmt: skip
    return {
        "language": language, "foot": foot, "title": word("certificate", language),
        "thanks": word("certificate_thanks", language), "issued": issued,
        "signed": word("certificate_signed", language), "people": made,
    }  # fmt: skip


def post_sheet(place: str, address: str, *, foot: str) -> dict[str, Any]:
    """The sheet that hangs at a post: in both languages, whoever comes."""
    return {"language": "zh", "foot": foot, "place": place, "qr": address, "address": address}


def _strip(team: dict[str, Any]) -> dict[str, str]:
    drawn = team.get("drawn")
    return {"strip_svg": strip(drawn.ink, drawn.pattern)} if drawn else {"strip_svg": ""}


def _colour(team: dict[str, Any], language: str) -> str:
    drawn = team.get("drawn")
    if not drawn:
        return ""
    return (
        f"{drawn.zh} · {drawn.pattern_zh}"
        if language == "zh"
        else f"{team['marking']} · {drawn.pattern}"
    )


def _value(value: str, language: str) -> str:
    known = {"male", "female", "people", "unknown"}
    return word(f"of_{value}", language) if value in known else value
