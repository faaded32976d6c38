"""Everything that can be wrong with a file of results. What makes the whole file unreadable is
raised; the rest are values (`report.Fault`), and spoil only the tube or the message they are in.

Every fault is told with its file, message, line and field, or entry and path.
"""

from typing import ClassVar

from muster.core.problems import Problem


class ExchangeProblem(Problem):
    """The file {file} cannot be read."""

    zh: ClassVar[str] = "文件 {file} 无法读取。"
    status: ClassVar[int] = 422


class ExchangeEmpty(ExchangeProblem):
    """{file} is empty. Export it again."""

    zh = "{file} 是空文件。请重新导出。"


class ExchangeTooLarge(ExchangeProblem):
    """{file} has {found} {unit}, more than the limit of {limit}. Split it into several files."""

    zh = "{file} 有 {found} {unit}，超过上限 {limit}。请拆成几个文件。"
    status = 413


class NotHl7(ExchangeProblem):
    """{file} holds no HL7 message: no line begins with MSH. Send HL7 v2.5.1 as plain text in UTF-8,
    one segment a line."""

    zh = "{file} 中没有 HL7 消息：没有以 MSH 开头的行。请以 UTF-8 纯文本发送 HL7 v2.5.1，每行一个段。"
    status = 415


class NotAFhirBundle(ExchangeProblem):
    """{file} is not a FHIR R4 bundle in JSON ({why}). Send a resource of type Bundle, in UTF-8."""

    zh = "{file} 不是 JSON 格式的 FHIR R4 Bundle（{why}）。请以 UTF-8 发送 Bundle 资源。"
    status = 415


class BundleTypeRefused(ExchangeProblem):
    """{file} is a bundle of type {found}. Send one of type collection, transaction, batch or
    message."""

    zh = "{file} 的 Bundle 类型为 {found}。请发送 collection、transaction、batch 或 message 类型。"


class ExchangeFault(Problem):
    """Something in a file of results cannot be taken. Correct it and send it again."""

    zh: ClassVar[str] = "结果文件中有内容无法接收。请更正后重新发送。"
    status: ClassVar[int] = 422
    hl7: ClassVar[str] = "207"  # HL7 table 0357, what an acknowledgement says
    rejects: ClassVar[bool] = False  # the header is at fault: AR, not AE

    def message(self, language: str = "en") -> str:
        return self._where(language) + super().message(language)

    def _where(self, language: str) -> str:
        names = _WHERE_ZH if language == "zh" else _WHERE
        told = [form.format(self.facts[name]) for name, form in names.items()
                if self.facts.get(name) not in (None, "")]  # fmt: skip
        end, between = ("：", "，") if language == "zh" else (": ", ", ")
        return between.join(told) + end if told else ""


_WHERE = {"file": "{}", "number": "message {}", "line": "line {}", "entry": "entry {}",
          "place": "{}"}  # fmt: skip
_WHERE_ZH = {"file": "{}", "number": "第 {} 条消息", "line": "第 {} 行", "entry": "第 {} 个条目",
             "place": "{}"}  # fmt: skip


class EncodingCharactersWrong(ExchangeFault):
    """The encoding characters are {found}. Write MSH|^~\\&| or declare a field separator and four
    others in MSH-1 and MSH-2, all different, neither letters nor digits, and use those."""

    zh = "分隔符为 {found}。请写 MSH|^~\\&|，或在 MSH-1、MSH-2 中声明五个互不相同的非字母数字字符并一致使用。"
    hl7, rejects = "100", True


class VersionRefused(ExchangeFault):
    """The message is of HL7 version {found}. Send version 2.5.1."""

    zh = "消息的 HL7 版本为 {found}。请发送 2.5.1 版。"
    hl7, rejects = "203", True


class MessageTypeRefused(ExchangeFault):
    """The message is of type {found}. Send results as ORU^R01^ORU_R01."""

    zh = "消息类型为 {found}。请以 ORU^R01^ORU_R01 发送结果。"
    hl7, rejects = "200", True


class NotForProduction(ExchangeFault):
    """The message has the processing id {found}: it is a test. Send real results with P."""

    zh = "消息的处理标识为 {found}，属于测试消息。真实结果请用 P 发送。"
    hl7, rejects = "202", True


class CharsetMissing(ExchangeFault):
    """The message is not in UTF-8 and does not say what it is in. Write UNICODE UTF-8 or
    GB 18030-2000 into MSH-18."""

    zh = "消息不是 UTF-8 编码，又未声明编码。请在 MSH-18 填写 UNICODE UTF-8 或 GB 18030-2000。"
    hl7, rejects = "102", True


class CharsetUnknown(ExchangeFault):
    """The character set {found} is not understood. Use UNICODE UTF-8 or GB 18030-2000."""

    zh = "不支持字符集 {found}。请使用 UNICODE UTF-8 或 GB 18030-2000。"
    hl7, rejects = "103", True


class CharsetBroken(ExchangeFault):
    """The bytes are not text in {charset}, which MSH-18 declares. Send it in that character set, or
    declare the right one."""

    zh = "内容不符合 MSH-18 声明的字符集 {charset}。请按声明的字符集发送，或更正声明。"
    hl7, rejects = "102", True


class SegmentBroken(ExchangeFault):
    """The line is not a segment: it does not begin with three capitals and the field separator.
    Write a line break within a text as \\.br\\ and check for a missing segment name."""

    zh = (
        "该行不是段：行首不是三个大写字母加字段分隔符。文本内换行请写 \\.br\\，并检查段名是否缺失。"
    )
    hl7 = "100"


class SegmentMissing(ExchangeFault):
    """The segment {segment} is missing. {remedy}"""

    zh = "缺少段 {segment}。{remedy_zh}"
    hl7 = "100"


class SegmentRepeated(ExchangeFault):
    """One OBR has {found} SPM segments, and which of them is the tube cannot be told. Send one OBR
    for each tube."""

    zh = "一个 OBR 下有 {found} 个 SPM，无法确定是哪一支管。请每支管发送一个 OBR。"
    hl7 = "100"


class MessageCutOff(ExchangeFault):
    """The message ends in the middle: its last segment has no end. Send it again in full, with a
    carriage return after every segment, also the last."""

    zh = "消息不完整：最后一段没有结束符。请完整重发，每一段（包括最后一段）后都要有回车符。"
    hl7 = "100"


class BatchCutOff(ExchangeFault):
    """The batch announces {expected} and has {found}: the file may be cut off. Compare, and send
    what is missing."""

    zh = "批次声明 {expected}，实有 {found}，文件可能被截断。请核对并补发缺失部分。"
    hl7 = "100"


class FieldMissing(ExchangeFault):
    """It is empty. {remedy}"""

    zh = "内容为空。{remedy_zh}"
    hl7 = "101"


class CodeTooLong(ExchangeFault):
    """It has {found} characters, more than {limit}. Shorten it, or look for a missing
    separator."""

    zh = "有 {found} 个字符，超过 {limit} 个。请缩短，或检查是否缺少分隔符。"
    hl7 = "102"


class OutcomeUnknown(ExchangeFault):
    """The outcome {found} is not known. Send SNOMED CT 260373001 (detected), 260415000 (not
    detected), 419984006 (inconclusive) or 455371000124106 (invalid)."""

    zh = (
        "结果 {found} 无法识别。请发送 SNOMED CT 260373001（检出）、260415000（未检出）、"
        "419984006（不确定）或 455371000124106（无效）。"
    )
    hl7 = "103"


class OutcomeMissing(ExchangeFault):
    """No observation says what the tube's result is. Send one with LOINC 94500-6, or with the code
    of the order."""

    zh = "没有说明该管结果的观察项。请发送 LOINC 94500-6 的观察项，或与申请项目同码的观察项。"
    hl7 = "101"


class OutcomeContradicts(ExchangeFault):
    """The result contradicts itself: {one} and {other}. Nothing was taken of it; check it at the
    laboratory and send what holds."""

    zh = "结果自相矛盾：{one} 与 {other}。该结果未被接收；请在实验室核实后重新发送。"
    hl7 = "207"


class NotFinal(ExchangeFault):
    """The result is not final (status {found}). Send it again when it is."""

    zh = "结果尚非最终结果（状态 {found}）。请在成为最终结果后再发送。"
    hl7 = "103"


class ResultRevoked(ExchangeFault):
    """The sender takes a result back (status {found}), which a file cannot do. Send the right one
    as corrected, or have the result rejected by hand."""

    zh = (
        "发送方撤销了结果（状态 {found}），文件不能撤销结果。请以更正状态发送正确结果，或人工驳回。"
    )
    hl7 = "103"


class StatusUnknown(ExchangeFault):
    """The status {found} is not known. Send F (FHIR: final) for a final result, C (FHIR: corrected)
    for a corrected one."""

    zh = "状态 {found} 无法识别。最终结果用 F（FHIR：final），更正结果用 C（FHIR：corrected）。"
    hl7 = "103"


class ReportedTimeUnreadable(ExchangeFault):
    """The time {found} cannot be read. Write year, month, day, hour and minute, and the zone, as in
    20220410083000+0800 (FHIR: 2022-04-10T08:30:00+08:00)."""

    zh = (
        "时间 {found} 无法读取。请写明年月日时分和时区，例如 20220410083000+0800"
        "（FHIR：2022-04-10T08:30:00+08:00）。"
    )
    hl7 = "102"


class ReportedCtUnreadable(ExchangeFault):
    """The cycle threshold {found} cannot be read. Write a number above 0 and up to 60 with a
    decimal point, as in 31.25; where there is no curve leave it empty and say so (HL7: OBX-11 X,
    FHIR: dataAbsentReason)."""

    zh = (
        "Ct 值 {found} 无法读取。请写大于 0、不超过 60 的数，用小数点，例如 31.25；"
        "无曲线时留空并注明（HL7：OBX-11 为 X，FHIR：dataAbsentReason）。"
    )
    hl7 = "102"


class CountUnreadable(ExchangeFault):
    """The number of swabs {found} cannot be read. Write a whole number from 1."""

    zh = "拭子数 {found} 无法读取。请写不小于 1 的整数。"
    hl7 = "102"


class NotATube(ExchangeFault):
    """The specimen has the role {found}: it is not a tube of swabs. Leave controls out, and send P,
    G or L for tubes."""

    zh = "标本角色为 {found}，不是采样管。请勿发送质控品；采样管用 P、G 或 L。"
    hl7 = "103"


class EntryInvalid(ExchangeFault):
    """It is not valid FHIR R4: {offence}. Correct it after the R4 definition of {resource}."""

    zh = "不符合 FHIR R4：{offence}。请按 R4 的 {resource} 定义更正。"


class EntryTooDeep(ExchangeFault):
    """It is nested deeper than {limit} levels. Leave out what is nested so deep."""

    zh = "嵌套超过 {limit} 层。请去掉过深的内容。"


class EntryNotUsable(ExchangeFault):
    """It brings no result: {why}. {remedy}"""

    zh = "未带来结果：{why_zh}。{remedy_zh}"


class ReferenceLost(ExchangeFault):
    """The reference {found} leads to no usable entry of this bundle. Send the {expected} along, and
    correct it if it is named above."""

    zh = (
        "引用 {found} 在本 Bundle 中没有可用条目。请一并发送 {expected}；若上文已指出其错误请更正。"
    )
