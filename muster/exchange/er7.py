"""HL7 v2's pipes and hats: a file into messages, a message into segments, a field into text.

hl7apy judges in the tests what is written and read here, but does not do the reading: it takes
about 8 ms a message (a file of 1,000 tubes would hold a core for 8 s), leaves escape sequences as
they are, and keeps neither line numbers nor what comes after a bad segment.

Chapter 2 of HL7 v2.5.1 is the source: delimiters (2.5.4), escape sequences (2.7), batches (2.10.3).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from muster.exchange import faults
from muster.exchange.report import Fault

FILE_LIMIT_BYTES = 10_000_000
SEGMENTS_LIMIT = 100_000
_PARTS_LIMIT = 100  # of a segment, a field, a component; the standard needs 50

CHARSETS = {
    "ASCII": "ascii", "8859/1": "latin-1", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8",
    "GB 18030-2000": "gb18030", "GB18030": "gb18030", "BIG-5": "big5",
}  # fmt: skip
_START, _END = b"\x0b", b"\x1c"  # MLLP puts these around a message
_BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")
_ESCAPE_WORDS = {"H": "", "N": "", ".br": "\n", ".sp": "\n"}


class Delimiters(NamedTuple):
    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Segment(msgspec.Struct, frozen=True):
    """One segment: `fields[n]` is field n as it stands. `line` counts in the file, `sequence` among
    the message's segments of that name; both from 1."""

    name: str
    line: int
    sequence: int
    fields: list[str]
    delimiters: Delimiters
    charset: str

    def raw(self, field: int) -> str:
        return self.fields[field] if field < len(self.fields) else ""

    def repetitions(self, field: int) -> list[str]:
        return self.raw(field).split(self.delimiters.repetition, _PARTS_LIMIT)

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """A part of the field's first repetition, unescaped; "" where there is none."""
        return self.part(self.repetitions(field)[0], component, subcomponent)

    def part(self, repetition: str, component: int = 1, subcomponent: int = 1) -> str:
        components = repetition.split(self.delimiters.component, _PARTS_LIMIT)
        if component > len(components):
            return ""
        parts = components[component - 1].split(self.delimiters.subcomponent, _PARTS_LIMIT)
        if subcomponent > len(parts):
            return ""
        text = unescape(parts[subcomponent - 1], self.delimiters, self.charset).strip()
        return "" if text == '""' else text  # HL7's explicit null

    def place(self, field: int) -> str:
        return f"{self.name}[{self.sequence}]-{field}"


class Lines(msgspec.Struct):
    """A message's lines as bytes, each with its number; `whole` once its end was seen."""

    number: int
    lines: list[tuple[int, bytes]]
    whole: bool = False


class Header(NamedTuple):
    """How a message is to be read."""

    delimiters: Delimiters
    charset: str


def unescape(text: str, delimiters: Delimiters, charset: str) -> str:
    r"""The text meant by \F\, \S\, \T\, \R\, \E\, \Xdd..\ and \.br\. Highlighting goes; a sequence
    that is unknown or not closed stays as it is."""
    mark = delimiters.escape
    if mark not in text:
        return text
    words = _ESCAPE_WORDS | {"F": delimiters.field, "S": delimiters.component,
                             "T": delimiters.subcomponent, "R": delimiters.repetition,
                             "E": mark}  # fmt: skip

    def meant(match: re.Match[str]) -> str:
        word = match[1]
        if re.fullmatch(r"X([0-9A-Fa-f]{2})+", word):
            return bytes.fromhex(word[1:]).decode(charset, "replace")
        return words.get(word, match[0])

    quoted = re.escape(mark)
    return re.sub(f"{quoted}([^{quoted}]*){quoted}", meant, text)


def escape(text: str, delimiters: Delimiters = Delimiters()) -> str:  # noqa: B008  # a tuple
    names = {delimiters.field: "F", delimiters.component: "S", delimiters.subcomponent: "T",
             delimiters.repetition: "R", delimiters.escape: "E"}  # fmt: skip
    mark = delimiters.escape
    return "".join(
        f"{mark}{names[char]}{mark}" if char in names
        else f"{mark}X{ord(char):02X}{mark}" if ord(char) < 32
        else char
        for char in text
    )  # fmt: skip


def split(name: str, content: bytes) -> tuple[list[Lines], list[Fault]]:
    """The messages of a file, with MLLP's framing and batch headers off, and what is wrong around
    them. Raises ExchangeEmpty, ExchangeTooLarge, NotHl7."""
    if len(content) > FILE_LIMIT_BYTES:
        raise faults.ExchangeTooLarge(
            file=name, found=len(content), unit="bytes", limit=FILE_LIMIT_BYTES
        )
    if not content.strip():
        raise faults.ExchangeEmpty(file=name)
    ends = max(content.count(b"\r"), content.count(b"\n"))
    if ends > SEGMENTS_LIMIT:
        raise faults.ExchangeTooLarge(file=name, found=ends, unit="lines", limit=SEGMENTS_LIMIT)
    messages: list[Lines] = []
    wrong: list[Fault] = []
    batch: list[tuple[int, bytes]] = []
    current: Lines | None = None
    framed = outside = False
    for line, piece, ended in _lines(content.removeprefix(b"\xef\xbb\xbf")):
        if _START in piece:  # what stands in a frame of its own is not the last message's
            framed, current = True, None
        text, close, _ = piece.replace(_START, b"").partition(_END)
        text = text.strip(b" \t\0")
        if text[:3] in _BATCH:
            batch.append((len(messages), text))
        elif text[:3] == b"MSH":
            current, outside = Lines(len(messages) + 1, [(line, text)], ended and not framed), False
            messages.append(current)
        elif text and current:
            current.lines.append((line, text))
            current.whole = ended and not framed
        elif text and not outside:
            outside = True
            wrong.append(Fault(line=line, problem=faults.SegmentBroken(file=name, line=line)))
        if close:
            if current:
                current.whole = True
            framed, current = False, None
    if not messages:
        raise faults.NotHl7(file=name)
    return messages, wrong + list(_batch_faults(name, batch, len(messages)))


def _lines(content: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """(number, line, whether it has an end), for carriage returns, line feeds and both."""
    # A block's end without the carriage return that belongs to it must not hide the next message.
    content = re.sub(_END + rb"(?![\r\n]|$)", _END + b"\r", content)
    pieces = re.split(rb"\r\n|\r|\n", content)
    for number, piece in enumerate(pieces, 1):
        yield number, piece, number < len(pieces)


def _batch_faults(name: str, batch: list[tuple[int, bytes]], messages: int) -> Iterator[Fault]:
    """Trailers that are missing, or count other than there is (BTS-1: messages of a batch)."""
    begun: dict[bytes, int] = {}
    for before, text in batch:
        kind, header = text[:3], text[:1] + b"HS"
        if kind == header:
            begun[kind] = before
            continue
        start = begun.pop(header, 0)
        count = text[4:].split(text[3:4])[0].strip() if len(text) > 4 else b""
        if kind == b"BTS" and count.isdigit() and int(count[:9]) != before - start:
            yield _cut(name, "BTS-1", expected=int(count[:9]), found=before - start)
    for header in begun:
        yield _cut(name, header.decode(), expected=header[:1].decode() + "TS", found="-")


def _cut(name: str, place: str, **facts: object) -> Fault:
    return Fault(place=place, problem=faults.BatchCutOff(file=name, place=place, **facts))


def header(msh: bytes) -> Header | tuple[type[faults.ExchangeFault], str]:
    """The delimiters and the character set that a header declares, or what is wrong with them: the
    fault and what was found.

    The set is the one in which the header names itself: only in it is MSH-18 where it should be, as
    a Chinese character in GB 18030 may hold the byte of a delimiter.
    """
    written = msh[3:9].decode("latin-1")
    ends = written.find(written[:1], 1)
    marks = written[: ends if ends > 0 else None]
    if len(marks) != 5 or len(set(marks)) != 5 or any(
        char.isalnum() or char.isspace() or not "!" <= char <= "~" for char in marks
    ):  # fmt: skip
        return faults.EncodingCharactersWrong, f'"{marks.strip()}"'
    delimiters = Delimiters(*marks)
    declared = ""
    for charset in ("utf-8", "gb18030", "big5", "latin-1"):
        try:
            fields = msh.decode(charset).split(delimiters.field, _PARTS_LIMIT)
        except UnicodeDecodeError:
            continue
        declared = fields[17].split(delimiters.repetition)[0].strip() if len(fields) > 17 else ""
        if not declared:
            continue
        meant = CHARSETS.get(declared.upper())
        if meant is None:
            continue
        if charset == meant or meant == "ascii" or msh.isascii():
            return Header(delimiters, meant)
    if declared and declared.isascii():
        return faults.CharsetUnknown, f'"{declared[:30]}"'
    return Header(delimiters, "")


def segments(
    message: Lines, read: Header
) -> Iterator[Segment | tuple[int, type[faults.ExchangeFault]]]:
    """The segments of a message in order; for a line that is none, its number and the fault."""
    charset = read.charset or "utf-8"
    counts: dict[str, int] = {}
    for line, raw in message.lines:
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            yield line, faults.CharsetBroken if read.charset else faults.CharsetMissing
            return  # it would be said of every line
        name, mark = text[:3], text[3:4]
        if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name) or mark not in ("", read.delimiters.field):
            yield line, faults.SegmentBroken
            if "".join(read.delimiters[1:]) in text or r"^~\&" in text:
                return  # a header with its name damaged: what follows is another message
            continue
        fields = text.split(read.delimiters.field, _PARTS_LIMIT)
        if name == "MSH":  # MSH-1 is the separator itself
            fields.insert(1, read.delimiters.field)
        counts[name] = counts.get(name, 0) + 1
        yield Segment(name, line, counts[name], fields, read.delimiters, charset)
