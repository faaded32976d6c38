"""Makes the field client's spoken prompts (web/src/field/voice) anew with espeak-ng and ffmpeg, small MP3
files. Run by hand when a word is added; a district that has a better voice replaces the files, one by one.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

OUT = Path(__file__).parents[1] / "web" / "src" / "field" / "voice"
DIGITS = "一二三四五六七八九"
WORDS = {
    "zh": {
        "full": "满管", "sealed": "已封管", "repeat": "本轮已采", "unknown": "请核对",
        "scan_tube": "请扫管码", "priority": "优先", "wrong": "管码不对", "saved": "已保存",
    },
    "en": {
        "full": "tube full", "sealed": "sealed", "repeat": "swabbed before", "unknown": "check this",
        "scan_tube": "scan the tube", "priority": "priority", "wrong": "wrong tube",
        "saved": "saved",
    },
}  # fmt: skip
VOICES = {"zh": ["-v", "cmn", "-s", "190"], "en": ["-v", "en-gb", "-s", "170"]}


def position(language: str, n: int) -> str:
    """What is said for a place in a tube: 七号位, number 7."""
    if language == "en":
        return f"number {n}"
    tens, ones = divmod(n, 10)
    spoken = ("" if tens == 0 else "十" if tens == 1 else DIGITS[tens - 1] + "十") + (
        DIGITS[ones - 1] if ones else ""
    )
    return f"{spoken}号"


def record(language: str, name: str, text: str, folder: Path) -> None:
    """One prompt: spoken, the silence around it cut, as loud as the others, 24 kbit/s."""
    wave = folder / "said.wav"
    subprocess.run(["espeak-ng", *VOICES[language], "-w", wave, text], check=True)
    trim = "silenceremove=start_periods=1:start_threshold=-50dB"
    subprocess.run(
        ["ffmpeg", "-y", "-loglevel", "error", "-i", wave,
         "-af", f"{trim},areverse,{trim},areverse,loudnorm=I=-14",
         "-ac", "1", "-ar", "16000", "-b:a", "24k", "-map_metadata", "-1", "-write_xing", "0",
         OUT / language / f"{name}.mp3"],
        check=True,
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for language, words in WORDS.items():
            (OUT / language).mkdir(parents=True, exist_ok=True)
            places = {f"n{n}": position(language, n) for n in range(1, 21)}
            for name, text in (places | words).items():
                record(language, name, text, Path(folder))
                sys.stderr.write(f"{language}/{name}: {text}\n")


if __name__ == "__main__":
    main()
