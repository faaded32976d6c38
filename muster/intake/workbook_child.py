"""The child process that reads a workbook; see workbook_source. Started as a script, so it imports
nothing of the project.

It takes its settings as a line of JSON, then for every sheet sends its first rows and is told
"next" or "rows". Messages are msgpack behind their length in four bytes.
"""

import datetime
import json
import re
import resource
import signal
import struct
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_CHUNK_ROWS = 2_000
_WORKBOOK_PARTS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
_LOCKED = "EncryptedPackage".encode("utf-16-le")


def main(path: str) -> None:
    settings = _told()
    signal.alarm(settings["seconds"])  # for loading; sending waits for the reader
    resource.setrlimit(resource.RLIMIT_AS, (settings["memory_bytes"],) * 2)
    # At the first limit comes SIGXCPU, at the second SIGKILL, which would not tell why.
    resource.setrlimit(resource.RLIMIT_CPU, (settings["seconds"], settings["seconds"] + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _serve(path, settings)
    except MemoryError:
        _send("problem", "memory")
    except BrokenPipeError:
        return  # nobody reads any more
    except _Refused as refusal:
        _send("problem", str(refusal))
    except BaseException:  # a panic in the reading library is not an Exception
        _send("problem", "damaged")


class _Refused(Exception):
    """The file will not be read, for the reason given."""


def _serve(path: str, settings: dict[str, int]) -> None:
    is_archive = zipfile.is_zipfile(path)
    if is_archive:
        _check_archive(path, settings["expanded_bytes"])
    elif _LOCKED in Path(path).read_bytes():
        raise _Refused("locked")
    import python_calamine as calamine

    try:
        with open(path, "rb") as file:  # by content: the name may end in anything
            workbook = calamine.load_workbook(file)
    except calamine.PasswordError:
        raise _Refused("locked") from None
    for index, sheet in enumerate(workbook.sheets_metadata):
        if (
            sheet.visible != calamine.SheetVisibleEnum.Visible
            or sheet.typ != calamine.SheetTypeEnum.WorkSheet
        ):
            continue
        # The library gives "" for a cell with an error, so those are found by themselves.
        errors = _error_cells(path, index) if is_archive else {}
        cells = workbook.get_sheet_by_index(index)
        first_column = cells.start[1] if cells.start else 0
        marks = {line: {col - first_column for col in cols} for line, cols in errors.items()}
        if _sheet(cells, marks, settings):
            break
    _send("end")


def _sheet(sheet: Any, errors: dict[int, set[int]], settings: dict[str, int]) -> bool:
    """Offers one sheet; True if it was wanted and sent."""
    total = sheet.end[0] + 1 if sheet.end else 0
    longest = settings["cell_characters"]
    rows: Iterator[list[Any]] = iter(sheet.iter_rows())
    head = list(islice(rows, settings["header_rows"]))
    texts, marks = _texts(head, 1, errors=errors, longest=longest)
    signal.alarm(0)
    _send("sheet", sheet.name, total, texts)
    if _told() != "rows":
        signal.alarm(settings["seconds"])
        return False
    _send("rows", 1, texts, marks)
    first = 1 + len(head)
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        texts, marks = _texts(chunk, first, errors=errors, longest=longest)
        _send("rows", first, texts, marks)
        first += len(chunk)
    return True


def _texts(
    rows: list[list[Any]], first: int, *, errors: dict[int, set[int]], longest: int
) -> tuple[list[list[str]], list[tuple[int, int, str]]]:
    """Rows of text, and what is wrong with a cell: line, index, slug."""
    texts, marks = [], []
    for line, row in enumerate(rows, first):
        cells = [cell if type(cell) is str else _text(cell) for cell in row]
        for index, cell in enumerate(row):
            kind = type(cell)
            if kind is float:
                # A spreadsheet keeps fifteen digits; what has more was longer once.
                if abs(cell) >= 1e15:
                    marks.append((line, index, "number-lost-digits"))
            elif kind is str and len(cell) > longest:
                marks.append((line, index, "cell-too-long"))
        if line in errors:
            marks.extend((line, index, "error-cell") for index in sorted(errors[line]))
        texts.append(cells)
    return texts, marks


def _text(cell: Any) -> str:
    """A cell as it would be typed: no ".0", dates in ISO 8601."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case int():
            return str(cell)
        case float():
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case datetime.datetime():
            is_date = cell.time() == datetime.time()
            return cell.date().isoformat() if is_date else cell.isoformat(" ", "seconds")
        case datetime.date() | datetime.time():
            return cell.isoformat()
        case _:
            return "" if cell is None else str(cell)


def _check_archive(path: str, limit: int) -> None:
    """Refuses by the archive's own list, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise _Refused("damaged") from None
    if not _WORKBOOK_PARTS & {entry.filename for entry in entries}:
        raise _Refused("foreign")
    if sum(entry.file_size for entry in entries) > limit:
        raise _Refused("expanded")


_BLOCK_BYTES = 1 << 20
_LONGEST_TAG_BYTES = 512
_CELL_WITH_ERROR = re.compile(rb'<(?:\w+:)?c\s[^<>]*\bt="e"[^<>]*>')
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')


def _error_cells(path: str, index: int) -> dict[int, set[int]]:
    """Columns (from 0) of the cells with an error such as #REF!, by line (from 1)."""
    found: dict[int, set[int]] = {}
    with zipfile.ZipFile(path) as archive:
        part = _sheet_part(archive, index)
        if part is None:
            return found
        tail = b""
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK_BYTES):
                block = tail + block
                if b't="e"' in block:
                    for tag in _CELL_WITH_ERROR.findall(block):
                        if reference := _REFERENCE.search(tag):
                            column, line = reference.groups()
                            found.setdefault(int(line), set()).add(_column(column))
                tail = block[-_LONGEST_TAG_BYTES:]
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _sheet_part(archive: zipfile.ZipFile, index: int) -> str | None:
    """The archive's part with the sheet of that index, if the workbook is of the XML kind."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    # The process has limits of memory and time, so an XML bomb hurts only itself.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    sheets = [element for element in book.iter() if element.tag.endswith("}sheet")]
    ids = [value for name, value in sheets[index].attrib.items() if name.endswith("}id")]
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    for relation in relations:
        if relation.get("Id") in ids:
            target = relation.get("Target", "").lstrip("/").removeprefix("xl/")
            return f"xl/{target}" if f"xl/{target}" in names else None
    return None


def _told() -> Any:
    line = sys.stdin.buffer.readline()
    if not line:
        raise BrokenPipeError
    return json.loads(line)


def _send(*message: object) -> None:
    import msgspec

    body = msgspec.msgpack.encode(message)
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
