"""Reading camt statements: what banks write in them, and what is refused before it does harm."""

from __future__ import annotations

import tracemalloc
from datetime import date

import pytest

from disbursement.channels.iso_xml import XmlRefused, looks_like_xml, money, parse
from disbursement.channels.statements import read_statement
from disbursement.channels.statements.protocol import Booked, Direction, StatementUnreadable

PAYMENT = "01920E5C6C1D7A549C0E2F6F0D6A1B11001"
OTHER = "01920E5C6C1D7A549C0E2F6F0D6A1B22001"
BATCH = "B01920E5C6C1D7A549C0E2F6F0D6A1B11"
SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


def entry(amount: str, *, sign: str = "DBIT", status: str = "BOOK", details: str = "", version: str = "08", currency: str = "VND") -> str:
    """One entry, booked on 5/9/2024."""
    said = f"<Cd>{status}</Cd>" if version == "08" else status
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{said}</Sts><BookgDt><Dt>2024-09-05</Dt></BookgDt>'
        f"<AcctSvcrRef>FT1</AcctSvcrRef><BkTxCd><Prtry><Cd>PAY</Cd></Prtry></BkTxCd>{details}</Ntry>"
    )


def detail(reference: str, amount: str = "", *, text: str = "") -> str:
    """One transaction of an entry; without a reference field when `text` carries it."""
    refs = f"<Refs><EndToEndId>{reference}</EndToEndId></Refs>" if reference else ""
    said = f'<Amt Ccy="VND">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>' if amount else ""
    return f"<TxDtls>{refs}{said}{f'<RmtInf><Ustrd>{text}</Ustrd></RmtInf>' if text else ''}</TxDtls>"


def statement(*entries: str, version: str = "08", opening: int = 1_000_000, closing: int | None = None) -> bytes:
    """A camt.053 of September; balances where `closing` is given."""
    day = "<Dt><Dt>2024-09-05</Dt></Dt>"
    kind = '<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Amt Ccy="VND">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd>' + day + "</Bal>"
    balances = kind.format("OPBD", opening) + kind.format("CLBD", closing if closing is not None else opening)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{SPACE}{version}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId>'
        f"<CreDtTm>2024-09-06T00:00:00Z</CreDtTm></GrpHdr><Stmt><Id>1</Id><CreDtTm>2024-09-06T00:00:00Z</CreDtTm><FrToDt><FrDtTm>"
        f"2024-09-01T00:00:00+07:00</FrDtTm><ToDtTm>2024-09-05T23:59:59+07:00</ToDtTm></FrToDt><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>"
        f"{balances}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def lines(content: bytes) -> list[Booked]:
    """All lines."""
    return list(read_statement(content, "camt.xml").lines)


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_statement_tells_its_head_and_its_booked_lines(version: str) -> None:
    details = f"<NtryDtls><TxDtls><Refs><EndToEndId>{PAYMENT}</EndToEndId></Refs></TxDtls></NtryDtls>"
    made = entry("500000.00", details=details, version=version), entry("7", status="PDNG", version=version)
    content = statement(*made, version=version, closing=500_000)
    read = read_statement(b"\xef\xbb\xbf" + content, "x")
    assert (read.form, read.message_id, read.from_date, read.to_date) == ("CAMT053", "M1", date(2024, 9, 1), date(2024, 9, 5))
    assert (read.opening, read.closing) == (1_000_000, 500_000)
    assert list(read.lines) == [Booked(1, date(2024, 9, 5), 500_000, "VND", Direction.OUT, PAYMENT, "FT1")]


def test_a_batch_booked_as_one_entry_is_itemised_where_its_details_add_up() -> None:
    items = f"<NtryDtls>{detail(PAYMENT, '300000')}{detail('', '200000', text=f'TRO CAP {OTHER} T9')}</NtryDtls>"
    found = lines(statement(entry("500000", details=items), closing=500_000))
    assert [(line.number, line.amount, line.reference) for line in found] == [(1, 300_000, PAYMENT), (2, 200_000, OTHER)]


@pytest.mark.parametrize("amounts", [("300000", "100000"), ("", "")])
def test_details_that_do_not_add_up_leave_one_line_under_the_batch(amounts: tuple[str, str]) -> None:
    items = "".join(detail(reference, amount) for reference, amount in zip((PAYMENT, OTHER), amounts, strict=True))
    batch = f"<NtryDtls><Btch><PmtInfId>{BATCH}</PmtInfId></Btch>{items}</NtryDtls>"
    [line] = lines(statement(entry("500000", details=batch), closing=500_000))
    assert (line.amount, line.reference) == (500_000, BATCH)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (statement(entry("500000"), closing=999_999), "closing"),
        (statement(entry("0.50"), closing=1_000_000), "entry 1"),
        (statement(entry("5"), closing=999_995).replace(b"</BookgDt>", b"</BookgDt><Nonsense/>"), "not valid"),
        (statement(entry("5"), version="99"), "camt.053.001.99"),
        (statement().replace(b"camt.053", b"camt.052"), "camt.053"),
        (b"<html><body>504</body></html>", "camt.053"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1:1/x">]>' + statement()[38:], "DOCTYPE"),
        *((statement(entry("5"), closing=999_995)[:-cut], "not valid") for cut in (1, 11, 40, 200)),
    ],
)
def test_what_cannot_be_trusted_refuses_the_whole_file(content: bytes, word: str) -> None:
    with pytest.raises(StatementUnreadable, match=word):
        lines(content)


def test_an_entity_bomb_is_refused_unread_and_costs_nothing() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "{"x" * 100}">{entities}]><x a="&e29;">&e29;</x>'.encode()
    tracemalloc.start()
    with pytest.raises(XmlRefused, match="DOCTYPE"):
        parse(bomb, {"camt.053"})
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_amounts_are_whole_dong() -> None:
    assert [money(word) for word in ("500000", "500000.00", "0.5", "-1", "1e5", "", None, "9" * 16)] == [500_000, 500_000] + [None] * 6


def test_what_looks_like_xml_is_read_as_such() -> None:
    assert looks_like_xml(b"\xef\xbb\xbf\r\n <Document/>")
    assert not looks_like_xml(b"PK\x03\x04")
    assert not looks_like_xml("Ngày;Số".encode())
