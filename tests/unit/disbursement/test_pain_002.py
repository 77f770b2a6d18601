"""pain.002 as banks send it: the version that pairs with our pain.001.001.09 has no schema here, and is still checked before it is read."""

from __future__ import annotations

import pytest

from common.http import client
from common.sealing import Keyring
from common.testing import keyring_data
from disbursement.channels.loading import channel_of
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import NoticeUnreadable, PartnerResult
from disbursement.domain.payment import ResultStatus

SECRET = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2024-09-05T02:14:07Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>P1</OrgnlEndToEndId><TxSts>ACSC</TxSts><AcctSvcrRef>FT1</AcctSvcrRef>
<OrgnlTxRef><Amt><InstdAmt Ccy="VND">500000</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>P2</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>
<OrgnlTxRef><Amt><InstdAmt Ccy="VND">600000</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
TEN = REPORT.format(version="10")


async def read(text: str) -> list[PartnerResult]:
    row = Partner.model_validate(
        {"name": "x", "kind": "BANK", "channel": "iso20022", "url": "http://x", "outbound_secret": SECRET, "inbound_secrets": [SECRET]}
    )
    async with client() as http:
        return channel_of(row, http, Keyring("disbursement", keyring_data("disbursement"))).read_notice(text.encode())


@pytest.mark.parametrize("version", ["03", "10", "12"])
async def test_every_version_says_the_same(version: str) -> None:
    paid, failed = await read(REPORT.format(version=version))
    assert (paid.reference, paid.status, paid.amount, paid.currency, paid.message_id) == ("P1", ResultStatus.SETTLED, 500_000, "VND", "B1")
    assert (failed.reference, failed.status, failed.reason) == ("P2", ResultStatus.FAILED, "ACCOUNT_CLOSED")


@pytest.mark.parametrize(
    ("part", "changed", "element"),
    [
        ("<OrgnlMsgId>B1</OrgnlMsgId>", "", "OrgnlMsgId"),
        ("<MsgId>S1</MsgId>", "", "MsgId"),
        ("2024-09-05T02:14:07Z", "yesterday", "CreDtTm"),
        ("<OrgnlEndToEndId>P2</OrgnlEndToEndId>", "", "OrgnlEndToEndId"),
        ("<TxSts>ACSC</TxSts>", "<TxSts>ACSC</TxSts><TxSts>RJCT</TxSts>", "TxSts"),
        ("<TxSts>ACSC</TxSts>", "<TxSts>accepted</TxSts>", "TxSts"),
        ("<TxSts>ACSC</TxSts>", "<TxSts><Cd>ACSC</Cd></TxSts>", "TxSts"),
        ("<Cd>AC04</Cd>", "<Cd>CLOSED</Cd>", "Cd"),
        (' Ccy="VND">500000', ">500000", "InstdAmt"),
        ("500000", "5e5", "InstdAmt"),
        ("<OrgnlPmtInfId>B1</OrgnlPmtInfId>", "", "OrgnlPmtInfId"),
        ("<AcctSvcrRef>FT1</AcctSvcrRef>", "<OrgnlEndToEndId>P9</OrgnlEndToEndId>", "OrgnlEndToEndId"),
        ("OrgnlGrpInfAndSts", "OrgnlGrp", "OrgnlGrpInfAndSts"),
        ("CstmrPmtStsRpt", "CstmrCdtTrfInitn", "CstmrPmtStsRpt"),
    ],
)
async def test_what_is_missing_double_or_malformed_is_named(part: str, changed: str, element: str) -> None:
    assert part in TEN
    with pytest.raises(NoticeUnreadable, match=f"pain.002.001.10: {element} .*line [0-9]+"):
        await read(TEN.replace(part, changed))


async def test_what_a_bank_adds_is_left_alone() -> None:
    results = await read(TEN.replace("<TxSts>ACSC</TxSts>", "<OrgnlUETR>x</OrgnlUETR><TxSts>ACSC</TxSts><ChrgsInf/>"))
    assert [result.reference for result in results] == ["P1", "P2"]


@pytest.mark.parametrize("text", [TEN.replace("<Document", "<!DOCTYPE x []><Document"), TEN[:-30], REPORT.format(version="11")])
async def test_it_is_as_hardened_as_the_others(text: str) -> None:
    with pytest.raises(NoticeUnreadable):
        await read(text)
