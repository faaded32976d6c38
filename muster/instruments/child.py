"""The child process that reads what needs foreign libraries: workbooks, RDML, and the second
reading of the vendors' exports by allotropy. Started as a script; see process.py.

It answers one request after the other and ends when its input does. Messages are msgpack behind
their length in four bytes: [operation, content, settings] in, ["ok", value] or ["problem", name,
detail] out. Nothing of the project is imported but the reader of workbooks, so that it starts fast.
"""

import gc
import io
import logging
import math
import os
import resource
import struct
import sys
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec

from muster.intake.workbook_child import _check_archive, _error_cells, _Refused, _text


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the messages
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    gc.disable()  # readers build trees of small objects; collected after each file instead
    while (body := _read(requests)) is not None:
        _allow_seconds(seconds)
        answer = _answer(*msgspec.msgpack.decode(body))
        del body
        answers.write(struct.pack(">I", len(answer)) + answer)
        answers.flush()
        gc.collect()
        gc.freeze()  # what the libraries keep need not be looked through after every file


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    (size,) = struct.unpack(">I", head)
    body = stream.read(size)
    return body if len(body) == size else None


def _allow_seconds(seconds: int) -> None:
    """Processor time for one file; more ends the process with SIGXCPU."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(operation: str, content: bytes, settings: dict[str, Any]) -> bytes:
    message: list[object]
    try:
        message = ["ok", OPERATIONS[operation](content, settings)]
    except MemoryError:
        message = ["problem", "memory", ""]
    except ModuleNotFoundError as error:
        message = ["problem", "missing", str(error.name)]
    except _Refused as refusal:
        message = ["problem", str(refusal), ""]
    except _Unreadable as error:
        message = ["problem", "unreadable", str(error)]
    except Exception as error:  # a defect of ours, or a result of another shape than was expected
        message = ["problem", "failed", _described(error)]
    return msgspec.msgpack.encode(message)


class _Unreadable(Exception):
    """A library does not read the file."""


@contextmanager
def _library() -> Iterator[None]:
    """What a library raises about a file says that it cannot read it."""
    try:
        yield
    except (MemoryError, ModuleNotFoundError, _Refused):
        raise
    except BaseException as error:  # a panic in a reading library is not an Exception
        if type(error).__name__ == "PanicException" and _is_full():
            raise MemoryError from None  # a library in Rust says so in its own way
        raise _Unreadable(_described(error)) from None


def _is_full() -> bool:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return used > resource.getrlimit(resource.RLIMIT_AS)[0] / 2


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def sheets(content: bytes, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The visible sheets of a workbook as rows of text, with the cells that show an error.

    If some are wanted by name and there, only those.
    """
    is_archive = zipfile.is_zipfile(io.BytesIO(content))
    if is_archive:
        _check_archive(io.BytesIO(content), settings["expanded_bytes"])  # type: ignore[arg-type]
    elif "EncryptedPackage".encode("utf-16-le") in content:
        raise _Refused("locked")
    import python_calamine as calamine

    with _library():
        try:
            workbook = calamine.load_workbook(io.BytesIO(content))
        except calamine.PasswordError:
            raise _Refused("locked") from None
        return _sheets(workbook, content if is_archive else None, settings["wanted"])


def _sheets(workbook: Any, archive: bytes | None, names: list[str]) -> list[dict[str, Any]]:
    import python_calamine as calamine

    visible = [
        (index, sheet.name)
        for index, sheet in enumerate(workbook.sheets_metadata)
        if sheet.visible == calamine.SheetVisibleEnum.Visible
        and sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    wanted = [(index, name) for index, name in visible if name in names]
    return [_sheet(workbook, index, name, archive) for index, name in wanted or visible]


def _sheet(workbook: Any, index: int, name: str, archive: bytes | None) -> dict[str, Any]:
    # The library gives "" for a cell with an error, so those are found by themselves.
    errors = _error_cells(io.BytesIO(archive), index) if archive else {}  # type: ignore[arg-type]
    cells = workbook.get_sheet_by_index(index)
    first = cells.start[1] if cells.start else 0
    marks = [(line, col - first, "error") for line, cols in errors.items() for col in cols]
    rows = []
    for line, row in enumerate(cells.iter_rows(), 1):
        rows.append([cell if type(cell) is str else _text(cell) for cell in row])
        for column, cell in enumerate(row):
            if type(cell) is float and abs(cell) >= _FIFTEEN_DIGITS:
                marks.append((line, column, "digits"))
    return {"name": name, "rows": rows, "marks": marks}


_FIFTEEN_DIGITS = 1e15  # what a spreadsheet keeps of a number; a longer one has lost some


def second_reading(content: bytes, settings: dict[str, Any]) -> dict[str, Any]:
    """What allotropy reads in an export: (well, target, dye, Ct or None) of every measurement.

    Of the two forms of its result the model is taken: the other one only adds the check against
    the schema of a document that nobody keeps, for as much time again.
    """
    from allotropy.to_allotrope import allotrope_model_from_io

    if settings.get("sheets"):
        content = _workbook(settings["sheets"])
    with _library():
        model = allotrope_model_from_io(io.BytesIO(content), settings["name"], settings["vendor"])
    return {
        "reader": f"allotropy {version('allotropy')}",
        "readings": list(_measurements(model)),
    }


def _measurements(model: Any) -> Iterator[tuple[str, str, str, float | None]]:
    for group in model.qpcr_aggregate_document.qpcr_document:
        for item in group.measurement_aggregate_document.measurement_document:
            sample = item.sample_document
            device = item.device_control_aggregate_document.device_control_document[0]
            processed = item.processed_data_aggregate_document.processed_data_document[0]
            ct = getattr(processed.cycle_threshold_result__q_pcr_, "value", None)
            yield (
                sample.well_location_identifier or sample.location_identifier,
                item.target_dna_description,
                device.reporter_dye_setting or "",
                float(ct) if isinstance(ct, int | float) and math.isfinite(ct) else None,
            )


def _workbook(sheets: dict[str, list[list[str | float]]]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell != "":
                    sheet.write(index, column, cell)
    workbook.close()
    return out.getvalue()


def rdml(content: bytes, settings: dict[str, Any]) -> dict[str, Any]:
    """The runs and samples of an RDML file, without curves. Of the library only reading is used."""
    _without_drawing()
    import rdmlpython

    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > settings["expanded_bytes"]:
                raise _Refused("expanded")
    with _library():
        if zipfile.is_zipfile(io.BytesIO(content)):
            file = rdmlpython.Rdml(io.BytesIO(content))
        else:
            file = rdmlpython.Rdml()
            file.loadXMLString(content.decode("utf-8-sig"))
        return _runs(file)


def _runs(file: Any) -> dict[str, Any]:
    return {
        "reader": f"rdmlpython {version('rdmlpython')}",
        "version": file.version(),
        "samples": {sample["id"]: sample.types() for sample in file.samples()},
        "runs": [
            {
                "experiment": experiment["id"],
                **{name: _value(run, name) for name in _RUN_FIELDS},
                "reacts": run.getreactjson(curves=False)["reacts"],
            }
            for experiment in file.experiments()
            for run in experiment.runs()
        ],
    }


_RUN_FIELDS = (
    "id", "instrument", "runDate", "dataCollectionSoftware_name", "dataCollectionSoftware_version",
    "pcrFormat_rows", "pcrFormat_columns",
)  # fmt: skip


def _value(run: Any, name: str) -> str | None:
    with suppress(KeyError):
        return run[name]
    return None


def _without_drawing() -> None:
    """Stands in for matplotlib, with which rdmlpython draws curves: loading it takes a second and
    writes a cache of fonts into the user's folder."""
    for name, attribute in (
        ("matplotlib", ""),
        ("matplotlib.backends", ""),
        ("matplotlib.backends.backend_svg", "FigureCanvasSVG"),
        ("matplotlib.figure", "Figure"),
    ):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        if attribute:
            setattr(module, attribute, None)


def ready(_: bytes, settings: dict[str, Any]) -> list[str]:
    """Loads libraries ahead of the first file; answers which are there."""
    there = []
    for name in settings["libraries"]:
        if name == "rdmlpython":
            _without_drawing()
        with suppress(ModuleNotFoundError):
            import_module(name)
            there.append(name)
    return there


OPERATIONS = {
    "sheets": sheets,
    "second": second_reading,
    "rdml": rdml,
    "ready": ready,
}


if __name__ == "__main__":
    main()
