"""Templates: typst files of the package, which a district may change file by file in a folder of its
own. `common.typ` is put before each: the fonts, the page, the marks of a letterhead.
"""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar, Literal

from muster.core.problems import Problem

COMMON = "common.typ"
TEMPLATE_LIMIT_BYTES = 200_000
Choice = Literal["ours", "shipped"]
_FROM_ELSEWHERE = re.compile(r'^[^/\n]*"@', re.MULTILINE)


class PaperUnknown(Problem):
    """There is no template "{name}"."""

    zh: ClassVar[str] = "没有模板“{name}”。"
    status: ClassVar[int] = 404


class TemplateUnfit(Problem):
    """The template {file} cannot be used: {reason}. Correct it, or print with the shipped template."""

    zh: ClassVar[str] = "模板 {file} 无法使用：{reason}。请更正，或改用自带模板打印。"
    status: ClassVar[int] = 422


@dataclass(frozen=True)
class Template:
    """A template as it will be set: what stands before it, and itself."""

    name: str
    common: str
    text: str
    changed: tuple[str, ...] = ()  # the files that are the district's own

    @property
    def source(self) -> str:
        return f"{self.common}\n{self.text}"

    @property
    def edition(self) -> str:
        """By which a template is known again: the hash of all that it is made of."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def place(self, line: int) -> tuple[str, int]:
        """The file and line of a line of the source."""
        before = self.common.count("\n") + 1
        return (COMMON, line) if line <= before else (f"{self.name}.typ", line - before)


def names() -> list[str]:
    """The templates there are."""
    found = (one.name for one in resources.files("muster.papers").joinpath("templates").iterdir())
    return sorted(
        one.removesuffix(".typ") for one in found if one.endswith(".typ") and one != COMMON
    )


def template(name: str, folder: Path | None = None, *, choice: Choice = "ours") -> Template:
    """A template by name: the district's own file from the folder where there is one, unless the
    shipped one is chosen. Raises PaperUnknown, TemplateUnfit."""
    if name not in names():
        raise PaperUnknown(name=name)
    own = folder if choice == "ours" else None
    common, other = _read(COMMON, own), _read(f"{name}.typ", own)
    changed = [file for file, (_, ours) in ((COMMON, common), (f"{name}.typ", other)) if ours]
    return Template(name, common[0], other[0], tuple(changed))


def shipped(name: str) -> str:
    """The text of a template as it came with Muster. Raises PaperUnknown."""
    if name not in (*names(), COMMON.removesuffix(".typ")):
        raise PaperUnknown(name=name)
    return _shipped(f"{name}.typ")


def _shipped(name: str) -> str:
    return resources.files("muster.papers").joinpath("templates", name).read_text(encoding="utf-8")


def _read(file: str, folder: Path | None) -> tuple[str, bool]:
    own = folder / file if folder else None
    if own is None or not own.is_file():
        return _shipped(file), False
    try:
        content = own.read_bytes()
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateUnfit(file=own.name, reason=type(error).__name__) from error
    if len(content) > TEMPLATE_LIMIT_BYTES:
        raise TemplateUnfit(file=own.name, reason=f"more than {TEMPLATE_LIMIT_BYTES} bytes")
    if _FROM_ELSEWHERE.search(text):
        raise TemplateUnfit(file=own.name, reason="it asks for a package from elsewhere (@…)")
    return text, True
