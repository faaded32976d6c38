"""The child process that sets a document; see typesetting.py. Started as a script for one document.

In comes one msgpack list [source, data, format, moment, fonts, root, dots per inch], out goes one: ["ok", files,
lost, warnings] or ["problem", kind, text, line]. It reads fonts and the template folder, and nothing
else.
"""

import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec
import typst

from muster.papers.codes import drawn
from muster.papers.fonts import covered, font_files, marked

_PLACE = re.compile(r"(?:<main>|main\.typ|\.typ)?:?(\d+):(\d+)")


def main() -> None:
    memory, seconds = map(int, sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read())
    try:
        answer = _set(*asked)
    except typst.TypstError as error:
        answer = ["problem", "template", error.message, _line(error)]
    except MemoryError:
        answer = ["problem", "memory", "", 0]
    except ValueError as error:  # a text that no code can hold
        answer = ["problem", "data", str(error), 0]
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _set(
    source: str, data: Any, form: str, moment: int, fonts: list[str], root: str, ppi: int
) -> list[Any]:
    files = font_files(Path(one) for one in fonts)
    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[*fonts]
    )
    families = [one.family for one in found.fonts() if one.path]
    lost: set[str] = set()
    data = drawn(marked(data, covered(files), lost))
    compiler = typst.Compiler(
        source.encode(), root=root, font_paths=found, ignore_system_fonts=True
    )
    inputs = {
        "data": json.dumps(data, ensure_ascii=False),
        "fonts": json.dumps(_preferred(families), ensure_ascii=False),
    }
    made, warnings = compiler.compile_with_warnings(
        format="png" if form == "png" else "pdf", sys_inputs=inputs, timestamp=moment,
        ppi=ppi if form == "png" else None,
    )  # fmt: skip
    pages = made if isinstance(made, list) else [made]
    return ["ok", pages, sorted(lost), sorted({one.message for one in warnings})]


def _preferred(families: list[str]) -> list[str]:
    """Simplified Chinese sans first, then whatever else there is, each once."""
    order = sorted(
        set(families),
        key=lambda one: (one != "Noto Sans SC", "Sans" not in one or "SC" not in one, one),
    )
    return order


def _line(error: typst.TypstError) -> int:
    found = _PLACE.search(error.diagnostic or "")
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
