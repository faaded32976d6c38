"""HL7 v2.5.1 results (ORU^R01) in: one report for each OBR, whatever else a message holds.

PID, NK1, PV1 and NTE are never looked at, so that a name that comes in is not read at all. What
goes out is written by `hl7_writing`.
"""

import re
from zoneinfo import ZoneInfo

from muster.exchange import er7, faults
from muster.exchange.er7 import Segment
from muster.exchange.hl7_order import Order, report
from muster.exchange.hl7_reading import Reading, time
from muster.exchange.hl7_writing import acknowledge, write_oru
from muster.exchange.report import FAULTS_LIMIT, Batch, Party, Received, TubeReport

__all__ = ["acknowledge", "read_oru", "write_oru"]


def read_oru(name: str, content: bytes, *, zone: str) -> Batch:
    """The results in a file of HL7 v2.5.1 messages: one or many, with batch headers or MLLP's
    framing, or without. `zone` is where times without one were taken, if MSH-7 has none either.

    Raises ExchangeEmpty, ExchangeTooLarge or NotHl7; everything else is a fault of the batch.
    """
    messages, wrong = er7.split(name, content)
    heard: list[Received] = []
    reports: list[TubeReport] = []
    for message in messages:
        reading = Reading(name, message.number, ZoneInfo(zone), [])
        received, found = _message(message, reading)
        heard.append(received)
        reports += found
        wrong += reading.wrong
        if len(wrong) > FAULTS_LIMIT:
            raise faults.ExchangeTooLarge(
                file=name, found=len(wrong), unit="faults", limit=FAULTS_LIMIT
            )
    return Batch(
        message_id=heard[0].message_id, sender=heard[0].sender.facility,
        reports=tuple(reports), faults=tuple(wrong), messages=tuple(heard),
    )  # fmt: skip


def _message(message: er7.Lines, reading: Reading) -> tuple[Received, list[TubeReport]]:
    number, line = message.number, message.lines[0][0]
    unknown = Received(number=number, message_id="", sender=Party("", ""), receiver=Party("", ""))
    header = er7.header(message.lines[0][1])
    if not isinstance(header, er7.Header):
        kind, found = header
        reading.fault(kind, line, found=found)
        return unknown, []
    msh: Segment | None = None
    orders: list[Order] = []
    for one in er7.segments(message, header):
        if not isinstance(one, Segment):
            at, kind = one
            reading.fault(kind, at, charset=header.charset)
            if kind is not faults.SegmentBroken:
                return _received(number, msh) if msh else unknown, []
            if orders:
                orders[-1].spoiled = True
        elif one.name == "MSH":
            msh = one
        elif one.name == "OBR":
            orders.append(Order(one, [], []))
        elif one.name == "SPM" and orders:
            orders[-1].spms.append(one)
        elif one.name == "OBX" and orders and not orders[-1].spms:
            orders[-1].obxs.append(one)
    assert msh is not None  # a message begins with it
    received = _received(number, msh)
    if not _header_fits(msh, reading):
        return received, []
    if not orders:
        reading.missing("OBR", line)
    if not message.whole:
        reading.fault(faults.MessageCutOff, message.lines[-1][0])
        orders = orders[:-1]
    found = [report(order, msh, reading) for order in orders if not order.spoiled]
    return received, [report for report in found if report]


def _received(number: int, msh: Segment) -> Received:
    return Received(
        number=number, message_id=msh.text(10),
        sender=Party(msh.text(3), msh.text(4)), receiver=Party(msh.text(5), msh.text(6)),
    )  # fmt: skip


def _header_fits(msh: Segment, reading: Reading) -> bool:
    """Whether the message is a real result in the version understood; else it says why not."""
    before = len(reading.wrong)
    kind = "^".join(msh.text(9, part) for part in (1, 2))
    if re.fullmatch(r"ORU[^A-Za-z0-9]R01.*", msh.text(9)):  # it uses others than it declares
        reading.fault(faults.EncodingCharactersWrong, msh, 2, found=f'"{msh.text(9)[3]}"')
    elif kind != "ORU^R01":
        reading.fault(faults.MessageTypeRefused, msh, 9, found=f'"{kind[:30]}"')
    if msh.text(12) != "2.5.1":
        reading.fault(faults.VersionRefused, msh, 12, found=f'"{msh.text(12)[:20]}"')
    if msh.text(11) != "P":
        reading.fault(faults.NotForProduction, msh, 11, found=f'"{msh.text(11)[:20]}"')
    if not msh.text(10):
        reading.missing("MSH-10", msh, 10)
    if msh.raw(7):
        sent = time(msh, 7, reading, needs_hour=False)
        if sent is not None and re.search(r"[+-][0-9]{4}$", msh.text(7)):
            reading.zone = sent.tzinfo or reading.zone
    return len(reading.wrong) == before
