"""Everything that can be wrong with a run file: each names the file, the place and the remedy.

`line` is the row number that a spreadsheet program or an editor shows. In a workbook the sheet
stands behind the file's name.
"""

from typing import ClassVar

from muster.core.problems import Problem


class RunFileProblem(Problem):
    """The run file {file} cannot be read."""

    zh: ClassVar[str] = "下机文件 {file} 无法读取。"
    status: ClassVar[int] = 422


class RunFileTooLarge(RunFileProblem):
    """{file} needs more than {limit}. Export the results alone, without raw and amplification
    data."""

    zh = "{file} 超过上限 {limit}。请只导出结果，不含原始数据和扩增数据。"
    status = 413


class RunFormatUnknown(RunFileProblem):
    """{file} is no run file that is understood (line {line}: {found}). Understood are: {formats}. Export results
    from the instrument's software as text, CSV or workbook, or declare the file's columns in a
    mapping (a TOML file with well, sample, target and Ct) and send it again."""

    zh = (
        "{file} 不是可识别的下机文件（第 {line} 行：{found}）。可识别：{formats}。"
        "请从仪器软件导出文本、CSV 或工作簿格式的结果，或编写列映射（TOML，含孔位、样本、靶标、Ct）后重发。"
    )
    status = 415


class RunColumnMissing(RunFileProblem):
    """{file} was recognised as {format}, but lacks the column {column} (its headers, line {line}:
    {found}). Export it with that column, or add the header to the mapping; accepted are:
    {accepted}."""

    zh = (
        "{file} 识别为 {format}，但缺少列 {column}（第 {line} 行表头：{found}）。"
        "请导出该列，或在映射中加入该表头；可用名称：{accepted}。"
    )


class RunColumnRepeated(RunFileProblem):
    """{file}, line {line}: several columns are named {column}. Keep one, or rename the others."""

    zh = "{file} 第 {line} 行：有多列名为 {column}。请只保留一列，或改名。"


class RunFileTruncated(RunFileProblem):
    """{file} is cut off at line {line}. Export it again and send the whole file."""

    zh: ClassVar[str] = "{file} 在第 {line} 行被截断。请重新导出并发送完整文件。"


class RunSectionMissing(RunFileTruncated):
    """{file} is cut off: it ends at line {line}, before its section [{section}]. Export it again
    and send the whole file."""

    zh = "{file} 被截断：在第 {line} 行结束，缺少 [{section}] 部分。请重新导出并发送完整文件。"


class RunRowCut(RunFileTruncated):
    """{file} is cut off: its last row, line {line}, has {found} of {expected} cells. Export it again
    and send the whole file."""

    zh = "{file} 被截断：最后一行（第 {line} 行）只有 {found} 格，应有 {expected} 格。请重新导出并发送完整文件。"


class RunRowWithoutCt(RunFileTruncated):
    """{file}, line {line}: the row has {found} cells and ends before its Ct. The file may be cut off:
    export it again and send the whole file."""

    zh = "{file} 第 {line} 行：只有 {found} 格，缺少 Ct。文件可能被截断：请重新导出并发送完整文件。"


class RunResultMissing(RunFileTruncated):
    """{file} is cut off at line {line}: {target} in well {well} is listed as set up (line {listed})
    but has no result. Export it again and send the whole file."""

    zh = (
        "{file} 在第 {line} 行被截断：{well} 孔的 {target} 已列入设置（第 {listed} 行），但没有结果。"
        "请重新导出并发送完整文件。"
    )


class RunFileDamaged(RunFileProblem):
    """{file} is damaged or incomplete and cannot be opened. Export it again, or send it again."""

    zh = "{file} 已损坏或不完整，无法打开。请重新导出或重新发送。"


class RunFormUnreadable(RunFileDamaged):
    """{file} is damaged or of a form that the library does not read ({detail}). Export it again, as
    text or CSV if it can be."""

    zh = "{file} 已损坏，或其格式不被读取库支持（{detail}）。请重新导出，尽量使用文本或 CSV。"


class RunFileLocked(RunFileProblem):
    """{file} is protected with a password. Export or save it without one."""

    zh = "{file} 设有密码。请不设密码重新导出或另存。"


class RunEncodingUnknown(RunFileProblem):
    """{file}, line {line}: the text is neither UTF-8, UTF-16 nor GB18030. Save it as "CSV UTF-8"."""

    zh = "{file} 第 {line} 行：文字不是 UTF-8、UTF-16 或 GB18030 编码。请另存为“CSV UTF-8”。"
    status = 415


class QuoteUnclosed(RunFileProblem):
    """{file}, line {line}: a quotation mark is not closed. Remove it, or export the file again."""

    zh = "{file} 第 {line} 行：引号未成对。请删除该引号，或重新导出。"


class RunRowTooWide(RunFileProblem):
    """{file}, line {line}: the row has {found} cells where the header has {expected}. A decimal
    comma in a file separated by commas does that: export with a decimal point, or with semicolons
    or tabs between the columns."""

    zh = (
        "{file} 第 {line} 行：有 {found} 格，表头只有 {expected} 格。"
        "以逗号分隔的文件中使用小数逗号会造成此错；请用小数点，或用分号、制表符分隔列后重新导出。"
    )


class CtUnreadable(RunFileProblem):
    """{file}, line {line}: the Ct "{text}" is no number of cycles. Enter a number above 0 and up to
    60 with one decimal point or comma, or "Undetermined", and send the file again."""

    zh = (
        "{file} 第 {line} 行：Ct 值“{text}”不是循环数。"
        "请填写大于 0 且不超过 60 的数（仅一个小数点或小数逗号），或“Undetermined”，然后重发。"
    )


class RunCellError(RunFileProblem):
    """{file}, line {line}: the cell under "{column}" shows an error of the spreadsheet. Enter the
    value itself."""

    zh = "{file} 第 {line} 行：“{column}”列的单元格是公式错误值。请直接填写内容。"


class RunNumberLostDigits(RunFileProblem):
    """{file}, line {line}: the number under "{column}" was shortened by a spreadsheet and has lost
    its last digits. Format the column as text and enter it again, or export the file again and do
    not open it in between."""

    zh = (
        "{file} 第 {line} 行：“{column}”列的号码被表格软件缩短，末尾几位已丢失。"
        "请把该列设为文本格式后重新录入，或重新导出且不要用表格软件打开。"
    )


class WellUnreadable(RunFileProblem):
    """{file}, line {line}: "{text}" is no well of a plate of {wells} wells. Enter a row letter and a
    column number, such as A01."""

    zh = "{file} 第 {line} 行：“{text}”不是 {wells} 孔板上的孔位。请填写行字母和列号，例如 A01。"


class WellNumberUnclear(RunFileProblem):
    """{file}, line {line}: the well is the number {text}, and the file does not say whether the
    plate has 96 or 384 wells. Export it with well positions such as A01, or declare `wells` and
    `numbering` in a mapping."""

    zh = (
        "{file} 第 {line} 行：孔位为编号 {text}，文件未说明是 96 孔还是 384 孔板。"
        "请导出 A01 形式的孔位，或在映射中声明 wells 和 numbering。"
    )


class SampleRoleUnknown(RunFileProblem):
    """{file}, line {line}: the kind of well "{text}" is not known. Use sample, positive control,
    negative control, NTC or standard, or add the word to `roles` in a mapping."""

    zh = (
        "{file} 第 {line} 行：孔类型“{text}”无法识别。"
        "请使用样本、阳性对照、阴性对照、空白对照或标准品，或在映射的 roles 中加入该词。"
    )


class TargetMissing(RunFileProblem):
    """{file}, line {line}: well {well} has a result but no target. Name the target in the
    instrument's software and export again, or declare `target` in a mapping."""

    zh = "{file} 第 {line} 行：{well} 孔有结果但没有靶标。请在仪器软件中填写靶标后重新导出，或在映射中声明 target。"


class WellTwice(RunFileProblem):
    """{file}: well {well} has {target} twice with different contents, in line {first} and line
    {second}. Remove the wrong row, or export again."""

    zh = (
        "{file}：{well} 孔的 {target} 出现两次且内容不同，见第 {first} 行和第 {second} 行。"
        "请删除错误的一行，或重新导出。"
    )


class SeveralPlates(RunFileProblem):
    """{file} holds several plates or runs: {found}. Send each in a file of its own."""

    zh = "{file} 含有多块板或多次运行：{found}。请分别发送。"


class RunFileEmpty(RunFileProblem):
    """{file} is empty. Export it again."""

    zh = "{file} 是空文件。请重新导出。"


class NoReadings(RunFileProblem):
    """{file} holds no readings (after line {line}). Check that samples and targets are entered and
    the run is analysed, then export again."""

    zh = "{file} 没有任何读数（第 {line} 行之后）。请确认已填写样本和靶标并完成分析，然后重新导出。"


class ReadersDisagree(RunFileProblem):
    """{file}, line {line}: two independent readers differ at well {well}, {target}: {ours} and
    {theirs}. Nothing of the file was taken. Export it as text (tab separated) with a decimal point
    and send it again."""

    zh = (
        "{file} 第 {line} 行：{well} 孔 {target} 两个独立读取程序的结果不一致：{ours} 与 {theirs}。"
        "该文件未被采用。请用小数点导出制表符分隔的文本后重发。"
    )


class InstrumentsExtraMissing(RunFileProblem):
    """Reading {file} ({format}) needs libraries that are not installed. Install them with:
    pip install 'muster[instruments]'"""

    zh = "读取 {file}（{format}）所需的库未安装。请执行：pip install 'muster[instruments]'"
    status = 501


class RunReaderHung(RunFileProblem):
    """{file} was not read within {seconds} s, and its reader was stopped. Export the results alone,
    as text or CSV, and send them."""

    zh = "{file} 在 {seconds} 秒内未读完，读取程序已停止。请只导出文本或 CSV 格式的结果后发送。"


class RunReaderFailed(RunFileProblem):
    """The reader of {file} failed ({how}). Export the results alone, as text or CSV, and send them;
    if that fails too, keep the file for whoever maintains the system."""

    zh = "{file} 的读取程序出错（{how}）。请只导出文本或 CSV 格式的结果后发送；若仍失败，请保留该文件交维护人员。"


class MappingInvalid(Problem):
    """The column mapping {file} is not valid: {reason}. Correct it; the format is described in
    muster/instruments/mapping.py."""

    zh = "列映射 {file} 无效：{reason}。请更正；格式说明见 muster/instruments/mapping.py。"
    status = 422
