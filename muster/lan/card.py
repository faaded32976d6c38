"""What stands on the card that is hung up at a site, as its template takes it."""

from typing import Any

from muster.lan.authority import Authority
from muster.lan.words import Phone, steps, word

PHONES: tuple[Phone, ...] = ("android", "iphone")


def card(
    authority: Authority, language: str, *, install: str, field: str, qr_svg: str, print_: list[str]
) -> dict[str, Any]:
    """The card: the addresses of the install page and of what is opened then, the page's QR, the
    fingerprint in pieces."""
    until = f"{authority.certificate.not_valid_after_utc:%Y-%m-%d}"
    return {
        "language": language, "title": word("card", language), "wifi": word("card_wifi", language),
        "address_head": word("card_address", language), "install": install,
        "then_head": word("card_then", language), "field": field,
        "in_app": word("card_in_app", language), "qr_svg": qr_svg,
        "phones": [
            {"name": word(one, language), "steps": steps(one, language, authority.name)}
            for one in PHONES
        ],
        "print_head": word("card_print", language), "print": print_,
        "compare": word("card_compare", language),
        "foot": word("card_foot", language, name=authority.name, until=until),
    }  # fmt: skip
