"""Films for Chromium's fake camera: a printed code as a hand holds it, tilted, out of focus, with a lamp's glare."""

from pathlib import Path
from typing import Literal

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

WIDTH, HEIGHT, FRAMES = 640, 480, 10
Spoilt = Literal["plain", "tilted", "blurred", "glare"]
FORMATS = {
    "QRCode": zxingcpp.BarcodeFormat.QRCode,
    "DataMatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "Code128": zxingcpp.BarcodeFormat.Code128,
}


def film(path: Path, text: str, *, code: str = "QRCode", spoilt: Spoilt = "plain") -> Path:
    """A short film of a code as a file of raw frames (Y4M), which Chromium plays over and over."""
    frame = np.asarray(_scene(text, code, spoilt), dtype=np.uint8)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        grey = np.full(WIDTH * HEIGHT // 2, 128, dtype=np.uint8).tobytes()
        for _ in range(FRAMES):
            out.write(b"FRAME\n" + frame.tobytes() + grey)
    return path


def _scene(text: str, code: str, spoilt: Spoilt) -> Image.Image:
    more = {"ec_level": "H"} if code == "QRCode" else {}
    made = zxingcpp.create_barcode(text, FORMATS[code], **more)
    label = Image.fromarray(np.array(made.to_image(scale=8, add_quiet_zones=True))).convert("L")
    label.thumbnail((WIDTH * 0.7, HEIGHT * 0.6))
    scene = Image.new("L", (WIDTH, HEIGHT), 190)
    angle = 23 if spoilt == "tilted" else 0
    turned = label.rotate(angle, expand=True, fillcolor=255)
    scene.paste(turned, ((WIDTH - turned.width) // 2, (HEIGHT - turned.height) // 2))
    if spoilt == "blurred":
        scene = scene.filter(ImageFilter.GaussianBlur(2.2))
    if spoilt == "glare":
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        away = np.hypot(x - WIDTH * 0.57, y - HEIGHT * 0.45)
        lamp = 255 * np.exp(-((away / 42) ** 2))
        scene = Image.fromarray(np.clip(np.asarray(scene) + lamp, 0, 255).astype(np.uint8))
    return scene
