"""What a table delivers, row by row, and everything that can be wrong with it.

A fault in a row is a value, so that an import lists all of them; only what makes the whole file
unusable is raised.
"""

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from muster.core.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much a file may ask of us. The defaults hold a district of a million people."""

    file_bytes: int = 2 << 30
    line_characters: int = 4 << 20
    cell_characters: int = 32_767  # what a cell of a workbook can hold
    header_rows: int = 20  # titles and empty rows may come before the header
    quoted_lines: int = 50  # a cell over more lines than this is a stray quote
    workbook_memory_bytes: int = 1_500_000_000
    workbook_seconds: int = 120
    workbook_expanded_bytes: int = 4 << 30


# Structs, because a million of them are made in an import: a tenth of a dataclass's cost.
class Row(msgspec.Struct, frozen=True, gc=False):
    """One row. `line` is where it starts in the file, `cells` follow the columns asked for, clean
    and "" where missing; `raw` is the row as it stood."""

    line: int
    cells: tuple[str, ...]
    raw: list[str]


class Fault(msgspec.Struct, frozen=True):
    """Why a row cannot be taken, in which of our columns if that is known.

    A row with several bad cells gives several faults in sequence, with the same line.
    """

    line: int
    column: str | None
    problem: Problem
    raw: list[str]


# line, cells as written, cells as meant, problems by index of the cell
Record = tuple[int, list[str], list[str], dict[int, Problem]]


class CellProblem(Problem):
    """A cell cannot be read as it stands."""

    zh: ClassVar[str] = "单元格无法读取。"
    status: ClassVar[int] = 422


class NumberLostDigits(CellProblem):
    """A long number was stored as a number, so its last digits are lost. Format the column as text
    and enter the number again."""

    zh = "长号码被存成了数值，末尾几位已丢失。请把该列设为文本格式后重新录入。"


class FormulaCell(CellProblem):
    """The cell holds a formula. Replace it with its value (copy, then paste values)."""

    zh = "单元格是公式。请改为数值（复制后选择性粘贴为值）。"


class ErrorCell(CellProblem):
    """The cell holds the error of a formula that failed. Enter the value itself."""

    zh = "单元格是公式错误值。请直接填写内容。"


class CellTooLong(CellProblem):
    """The cell is longer than {limit} characters. Shorten it, or look for a missing line break."""

    zh = "单元格内容超过 {limit} 个字符。请缩短，或检查是否缺少换行。"


class RowProblem(Problem):
    """A row cannot be read as it stands."""

    zh: ClassVar[str] = "该行无法读取。"
    status: ClassVar[int] = 422


class StrayQuote(RowProblem):
    """A quotation mark is not closed in this row. Remove it, or double it if it is part of the
    text."""

    zh = "该行有未成对的引号。请删除，或若为内容的一部分则写成两个。"


class BrokenCharacters(RowProblem):
    """The row has bytes that are not text in {encoding}. Enter its text again and save the file as
    "CSV UTF-8"."""

    zh = "该行含有不符合 {encoding} 编码的字节。请重新录入该行文字，并把文件另存为“CSV UTF-8”。"


class NulCharacter(RowProblem):
    """The row has NUL bytes; the file may be damaged. Export it again."""

    zh = "该行含有空字节，文件可能已损坏。请重新导出。"


class LineTooLong(RowProblem):
    """The line is longer than {limit} characters. Look for a missing line break."""

    zh = "该行超过 {limit} 个字符。请检查是否缺少换行。"


class ExtraCells(RowProblem):
    """The row has {found} cells where the header has {expected}. Put a text with the separator in
    it into quotation marks, or give the column beyond the last header a header."""

    zh = "该行有 {found} 格，表头只有 {expected} 格。含分隔符的内容须加引号，多出的列须有表头。"


class MissingCells(RowProblem):
    """The row has {found} cells where at least {expected} are needed. It may be broken over two
    lines."""

    zh = "该行只有 {found} 个单元格，至少需要 {expected} 个。该行可能被断成了两行。"


class FileCutOff(RowProblem):
    """The last row ends in the middle: the file may be cut off. Send it again in full."""

    zh = "最后一行不完整，文件可能被截断。请重新发送完整文件。"


class FileProblem(Problem):
    """The file {file} cannot be read."""

    zh: ClassVar[str] = "文件 {file} 无法读取。"
    status: ClassVar[int] = 422


class FileEmpty(FileProblem):
    """{file} is empty. Export it again."""

    zh = "{file} 是空文件。请重新导出。"


class FileTooLarge(FileProblem):
    """{file} has {bytes} bytes, more than the limit of {limit}. Split it."""

    zh = "{file} 有 {bytes} 字节，超过上限 {limit}。请拆分。"
    status = 413


class NotATable(FileProblem):
    """{file} is {found}, not a table. Save it as a workbook (.xlsx) or as "CSV UTF-8"."""

    zh = "{file} 是 {found}，不是表格。请另存为工作簿（.xlsx）或“CSV UTF-8”。"
    status = 415


class EncodingUnknown(FileProblem):
    """{file} is text neither in UTF-8 nor in GB18030 (first at line {line}). Save it as
    "CSV UTF-8"."""

    zh = "{file} 既不是 UTF-8 也不是 GB18030 编码（首见于第 {line} 行）。请另存为“CSV UTF-8”。"
    status = 415


class ColumnsMissing(FileProblem):
    """{file} lacks the columns: {missing}. Its headers are: {found}. Accepted names: {accepted}."""

    zh = "{file} 缺少列：{missing}。现有表头：{found}。可用名称：{accepted}。"


class ColumnsRepeated(FileProblem):
    """{file} has several columns for {column}: {found}. Keep one, or rename the others."""

    zh = "{file} 中有多列对应 {column}：{found}。请只保留一列，或改名。"


class WorkbookLocked(FileProblem):
    """{file} is protected with a password. Save it without one."""

    zh = "{file} 设有密码。请取消密码后另存。"


class WorkbookDamaged(FileProblem):
    """{file} is damaged or incomplete and cannot be opened. Open it in a spreadsheet program and
    save it again, or send it again."""

    zh = "{file} 已损坏或不完整，无法打开。请用表格软件打开后另存，或重新发送。"


class WorkbookTooLarge(FileProblem):
    """{file} needs more than {limit} to open. Delete empty rows and columns, split it, or save it
    as "CSV UTF-8"."""

    zh = "打开 {file} 所需超过 {limit}。请删除空行空列、拆分，或另存为“CSV UTF-8”。"
    status = 413
