"""What a phone's camera sees at a table, for measuring: printed codes held at some angle, a table with none."""

import base64
import io
from collections.abc import Iterator
from random import Random

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 1280, 720
TABLE_GREY, NOISE = 150, 6
PAPERS = 4
TILT_DEGREES, BLUR_PIXELS = 15, 1
CODES = {
    "QR": zxingcpp.BarcodeFormat.QRCode,
    "DataMatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "Code128": zxingcpp.BarcodeFormat.Code128,
}


def frames(texts: dict[str, str | None], *, each: int, seed: int) -> Iterator[tuple[str, str]]:
    """Kind and JPEG (base64) of frames, so many of each: kinds of codes with what they say, and one kind that says
    nothing, of a table without a code."""
    chance = Random(seed)  # noqa: S311  (the same frames each time)
    for kind, text in texts.items():
        for _ in range(each):
            yield kind, _packed(_scene(kind, text, chance))


def _scene(kind: str, text: str | None, chance: Random) -> Image.Image:
    """Papers lie on the table, with the code on top of them where there is one; the hand is a little out of
    focus."""
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, NOISE, (HEIGHT, WIDTH))
    table = np.clip(noise + TABLE_GREY, 0, 255).astype(np.uint8)
    scene = Image.fromarray(table)
    for _ in range(PAPERS):
        size = chance.randint(80, 400), chance.randint(60, 300)
        _lay(scene, Image.new("L", size, chance.randint(60, 255)), chance)
    if text is not None:
        made = zxingcpp.create_barcode(text, CODES[kind])
        label = Image.fromarray(np.array(made.to_image(scale=8, add_quiet_zones=True)))
        label.thumbnail((WIDTH * chance.uniform(0.5, 0.7), HEIGHT * chance.uniform(0.35, 0.7)))
        _lay(scene, label.convert("L"), chance)
    return scene.filter(ImageFilter.GaussianBlur(chance.uniform(0, BLUR_PIXELS)))


def _lay(scene: Image.Image, paper: Image.Image, chance: Random) -> None:
    """At some angle, somewhere, whole."""
    angle = chance.uniform(-TILT_DEGREES, TILT_DEGREES)
    mask = Image.new("L", paper.size, 255).rotate(angle, expand=True)
    turned = paper.rotate(angle, expand=True, resample=Image.Resampling.BILINEAR)
    left, top = max(0, WIDTH - turned.width), max(0, HEIGHT - turned.height)
    scene.paste(turned, (chance.randint(0, left), chance.randint(0, top)), mask)


def _packed(scene: Image.Image) -> str:
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=92)
    return base64.b64encode(out.getvalue()).decode()
