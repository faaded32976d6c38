"""What is wrong with a question about pooling; nothing of the database is needed to say so."""

from muster.core.problems import Problem


class Why(str):
    """What is wrong, in English, with the Chinese of it beside."""

    zh: str

    def __new__(cls, english: str, chinese: str) -> "Why":
        made = super().__new__(cls, english)
        made.zh = chinese
        return made


class PrevalenceUnfit(Problem):
    """A prevalence of {value} is none: give a share from 0 to 1, such as 0.001 for one in a thousand."""

    zh = "{value} 不是有效的感染率：请填 0 到 1 之间的比例，例如千分之一填 0.001。"
    status = 422


class AccuracyUnfit(Problem):
    """A sensitivity of {sensitivity} with a specificity of {specificity} is no better than chance:
    each must be from 0 to 1 and their sum above 1. See the kit's instructions."""

    zh = "灵敏度 {sensitivity}、特异度 {specificity} 不优于随机：两者须在 0 到 1 之间且之和大于 1。请查试剂盒说明书。"
    status = 422


class StagesUnfit(Problem):
    """The stages {stages} are no design: {reason}. Give sizes from the whole pool down to 1, each
    dividing the one before (24,6,1), or lists that add up (24;5,5,5,5,4;1)."""

    zh = "分级 {stages} 不成立：{reason.zh}。请从整管人数写到 1，逐级整除（24,6,1），或写出各级人数（24;5,5,5,5,4;1）。"
    status = 422


class SizeUnfit(Problem):
    """A size of {size} cannot be computed: give a whole number from {least} to {most}."""

    zh = "无法计算 {size} 人的规模：请填 {least} 到 {most} 的整数。"
    status = 422


class PoolsUnfit(Problem):
    """The pools {pools} cannot be read: {reason}. Write size:pools:positive, such as 10:500:3,20:80:1."""

    zh = "无法读取混样结果 {pools}：{reason.zh}。请写“人数:管数:阳性管数”，例如 10:500:3,20:80:1。"
    status = 422


class AmountUnfit(Problem):
    """The value {value} for {what} cannot be used: it must be {bounds}."""

    zh = "{what} 的数值 {value} 无法使用：应为 {bounds}。"
    status = 422


class DesignUnfit(Problem):
    """The design cannot be used: {reason}. It has a line a pool and a 0 or 1 for each specimen, all
    lines equally long; names of pools and specimens may stand in the first column and line."""

    zh = "设计文件无法使用：{reason.zh}。每行一个混样，每个标本填 0 或 1，各行等长；首列、首行可写名称。"
    status = 422


class CtsUnfit(Problem):
    """The Ct values cannot be used: {reason}. There is one line for each pool of the design, in its
    order or with its name; no signal is left blank or written "Undetermined"."""

    zh = "Ct 文件无法使用：{reason.zh}。设计中每个混样一行，按顺序或写名称；无信号留空或写“Undetermined”。"
    status = 422
