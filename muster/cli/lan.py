"""Commands about a site's own network: the certificate phones install, the card to hang up."""

from pathlib import Path
from typing import Any, Literal

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command
from muster.cli.running import USUAL_PORT
from muster.cli.site import install_port_option, named_option, show_site, site_of
from muster.core.clock import now
from muster.lan.card import card
from muster.lan.install import printed


@main.group("lan")
def lan_group() -> None:
    """Phones on a site without internet: the certificate of `muster serve --lan`, the card."""


def _site_options(work: Any) -> Any:
    port = click.option("--port", default=USUAL_PORT, show_default=True, help="Of `muster serve`.")
    return port(named_option(install_port_option(work)))


@command(lan_group, "show")
@_site_options
async def show_lan(out: Out, port: int, given: tuple[str, ...], install_port: int | None) -> Any:
    """Where phones go, and the fingerprint to compare; makes the certificate where there is none."""
    site = site_of(out.settings.home, given, port, install_port)
    if not out.json:
        show_site(out, site)
    return site.told


@command(lan_group, "card")
@_site_options
@click.option("--language", type=click.Choice(["zh", "en"]), help="Otherwise the command line's.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="A .pdf or .png file.")  # fmt: skip
async def print_card(
    out: Out, port: int, given: tuple[str, ...], install_port: int | None,
    language: str | None, output: Path,
) -> Any:  # fmt: skip
    """The card for the wall of a site, A4: QR, steps, fingerprint."""
    from muster.papers.codes import qr
    from muster.papers.templates import template
    from muster.papers.typesetting import press, set_paper

    forms: dict[str, Literal["pdf", "png"]] = {".pdf": "pdf", ".png": "png"}
    form = forms.get(output.suffix.lower())
    if form is None:
        raise click.UsageError("the file's name must end in .pdf or .png")
    settings = out.settings
    site = site_of(settings.home, given, port, install_port)
    data = card(
        site.authority, language or out.language, install=site.install,
        field=f"{site.address}/field/", qr_svg=qr(site.install),
        print_=printed(site.authority.fingerprint),
    )  # fmt: skip
    paper = await set_paper(
        press(settings.home, settings.fonts), template("phones", settings.home / "templates"),
        data, moment=now(), form=form,
    )  # fmt: skip
    output.write_bytes(paper.content)
    out.say(f"The card → {output}", f"手机接入卡 → {output}")
    return {"card": output, **site.told}
