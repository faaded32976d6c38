"""How a resident's page is put together: HTML that needs no script, with everything escaped that
somebody typed.
"""

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import quote

from muster.resident.words import word

_PAGE = """<!doctype html>
<html lang="{tongue}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="format-detection" content="telephone=no">
<title>{title}</title>{head}
<link rel="stylesheet" href="/r/page.css"><script src="/r/page.js" defer></script></head>
<body><header><span>{name}</span>{switch}</header>
<main>
{body}
</main></body></html>
"""
TONGUES = {"zh": "zh-CN", "en": "en"}


# Of a form that is answered in the same page, where there are scripts: no history holds it.
QUIET = ' data-quiet="1"'


class Html(str):
    """Text that is markup already."""


def h(text: object) -> str:
    """Text as it may stand in a page or an attribute."""
    return text if isinstance(text, Html) else escape(str(text))


def page(
    title: str, body: Iterable[str], *, language: str, switch: str, head: str = "", name: str = ""
) -> bytes:
    """A whole page. `switch`: what leads to the same in the other language; `name`: of all pages of a kind."""
    return _PAGE.format(
        tongue=TONGUES[language], title=h(title), head=head, name=h(name or word("title", language)),
        switch=switch, body="\n".join(filter(None, body)),
    ).encode()  # fmt: skip


def link_switch(language: str) -> str:
    """To the same page in the other language, where it is only asked for."""
    other = "en" if language == "zh" else "zh"
    name = h(word("other_language", language))
    return f'<a class="switch" href="?lang={other}" lang="{TONGUES[other]}">{name}</a>'


def post_switch(
    language: str, action: str, fields: Iterable[tuple[str, str]], *, more: str = ""
) -> str:
    """To the same page in the other language, where it was made of what was sent."""
    other = "en" if language == "zh" else "zh"
    name = h(word("other_language", language))
    return form(
        action, [*hidden([*fields, ("lang", other)]),
                 f'<button class="switch" lang="{TONGUES[other]}">{name}</button>'], more=more,
    )  # fmt: skip


def form(action: str, parts: Iterable[str], *, more: str = "") -> str:
    inner = "\n".join(filter(None, parts))
    return (
        f'<form method="post" action="{h(quote(action, safe="/%"))}" autocomplete="off"{more}>\n'
        f"{inner}</form>"
    )


def hidden(fields: Iterable[tuple[str, str]]) -> list[str]:
    return [f'<input type="hidden" name="{h(name)}" value="{h(value)}">' for name, value in fields]


def entry(
    name: str, label: str, *, value: str = "", said: str = "", hint: str = "", most: int = 100,
    more: str = "",
) -> str:  # fmt: skip
    """A field with its label; `said`: what is wrong with it."""
    about = [f"{name}-said"] if said else []
    about += [f"{name}-hint"] if hint else []
    described = f' aria-describedby="{" ".join(about)}"' if about else ""
    invalid = ' aria-invalid="true"' if said else ""
    return (
        f'<p class="field"><label for="{name}">{h(label)}</label>'
        f'<input id="{name}" name="{name}" value="{h(value)}" maxlength="{most}" autocomplete="off"'
        f"{described}{invalid}{more}>{_said(name, said)}{_hint(name, hint)}</p>"
    )


def choice(name: str, label: str, options: Iterable[str], *, said: str = "", more: str = "") -> str:
    described = f' aria-describedby="{name}-said" aria-invalid="true"' if said else ""
    return (
        f'<p class="field"><label for="{name}">{h(label)}</label>'
        f'<select id="{name}" name="{name}" autocomplete="off"{described}{more}>'
        f"{''.join(options)}</select>{_said(name, said)}</p>"
    )


def option(value: str, text: str, chosen: str) -> str:
    mark = " selected" if value == chosen else ""
    return f'<option value="{h(value)}"{mark}>{h(text)}</option>'


def groups(
    rows: Iterable[Mapping[str, object]], *, value: str, text: str, above: str, chosen: str
) -> list[str]:
    """Options under the names of what they stand in."""
    made, last = list[str](), object()
    for one in rows:
        if one[above] != last:
            made.append(f'{"</optgroup>" if made else ""}<optgroup label="{h(one[above] or "–")}">')
            last = one[above]
        made.append(option(str(one[value]), str(one[text]), chosen))
    return [*made, "</optgroup>"] if made else []


def said(text: str, *, good: bool = False) -> str:
    """A word on what was done, or was wrong."""
    return f'<p class="said{" good" if good else ""}" role="alert">{h(text)}</p>' if text else ""


def _said(name: str, text: str) -> str:
    return f'<span class="wrong" id="{name}-said">{h(text)}</span>'


def _hint(name: str, text: str) -> str:
    return f'<span class="hint" id="{name}-hint">{h(text)}</span>' if text else ""
