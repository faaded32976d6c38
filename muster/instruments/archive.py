"""Archives: what is in them, and the one table of results among their files."""

import io
import zipfile
import zlib

from muster.instruments import faults

FILES_LIMIT = 200
_WORKBOOK_PARTS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
# CFX Maestro exports each of its sheets as a file, named after the sheet.
_RESULTS = ("quantification cq results", "cq results", "results", "结果")
_TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls")


def is_archive(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def kind_of(name: str, content: bytes) -> str:
    """ "rdml", "workbook" or "files". Raises RunFileDamaged."""
    members = set(_members(name, content))
    if "rdml_data.xml" in members:
        return "rdml"
    return "workbook" if _WORKBOOK_PARTS & members else "files"


def only_table(name: str, content: bytes, *, limit_bytes: int) -> tuple[str, bytes]:
    """The name and content of the one table of results among an archive's files.

    Raises RunFormatUnknown, SeveralPlates, RunFileTooLarge, RunFileLocked and RunFileDamaged.
    """
    members = _members(name, content)
    tables = [file for file in members if file.lower().endswith(_TABLES)]
    for mark in _RESULTS if len(tables) > 1 else ():
        if marked := [file for file in tables if mark in file.lower()]:
            tables = marked
            break
    if not tables or len(members) > FILES_LIMIT:
        found = ", ".join(members[:8])
        raise faults.RunFormatUnknown(
            file=name, line="-", found=found, formats="CSV, TXT, XLSX, XLS"
        )
    if len(tables) > 1:
        raise faults.SeveralPlates(file=name, found=", ".join(tables[:10]))
    try:
        # The archive's own word on a size may be a lie: no more than the limit is unpacked.
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(tables[0]) as file:
            inner = file.read(limit_bytes + 1)
    except RuntimeError:  # the library's way to ask for a password
        raise faults.RunFileLocked(file=name) from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise faults.RunFileDamaged(file=name) from None
    if len(inner) > limit_bytes:
        raise faults.RunFileTooLarge(file=name, limit=f"{limit_bytes // (1 << 20)} MB unpacked")
    return f"{name}/{tables[0]}", inner


def _members(name: str, content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        raise faults.RunFileDamaged(file=name) from None
