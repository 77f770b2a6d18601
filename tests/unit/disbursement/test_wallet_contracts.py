"""Contracts of wallets and mobile money: the vectors of docs/partner/wallets.md, every way not to be genuine, and every code."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from common.http import client
from common.sealing import Keyring
from common.testing import keyring_data
from disbursement.channels import mobile_money, wallet_ipn, wallet_query
from disbursement.channels.callbacks import Callback, InvalidSignature
from disbursement.channels.loading import callback_of, channel_of
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import Channel, NoticeUnreadable
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "partner" / "wallets.md").read_text(encoding="utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_" + "dGhlIG5leHQgaW5ib3VuZCBzZWNyZXQgb2YgdGVzdHM="
NOW = datetime.fromtimestamp(1725502447, UTC)
REFERENCE = "01920E5C6C1D7A549C0E2F6F0D6A1B11001"
CONTRACTS = ("wallet_query", "wallet_ipn", "mobile_money")


def vectors(contract: str) -> dict[str, str]:
    """The table of test vectors under a heading of the page."""
    section = PAGE.split(f"\n## {contract}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| ([^|]+?) \| `([^`]*)` \|$", section, re.MULTILINE))


def row(contract: str) -> Partner:
    """A partner of this contract that knows us as the vectors do."""
    return Partner.model_validate({
        "name": "x", "kind": "WALLET", "channel": contract, "merchant": "ansinh", "url": "http://x", "outbound_secret": SECRET,
        "inbound_secrets": [OLD, SECRET],
    })  # fmt: skip


def genuine(contract: str) -> tuple[dict[str, str], bytes]:
    """Headers and raw bytes of the page's notice."""
    said = vectors(contract)
    if contract == "wallet_query":
        return {}, f"{said['notice']}&signature={said['signature']}".encode()
    if contract == "wallet_ipn":
        fields: dict[str, Any] = dict(part.split("=") for part in said["signed"].split("&"))
        fields |= {name: int(fields[name]) for name in ("amount", "responseTime", "resultCode")}
        return {}, orjson.dumps(fields | {"signature": said["signature"]})
    return {"authorization": said["header"].removeprefix("Authorization: ")}, said["notice"].encode()


def callback(contract: str) -> Callback:
    return callback_of(row(contract))


async def channel(contract: str) -> Channel:
    async with client() as http:
        return channel_of(row(contract), http, Keyring("disbursement", keyring_data("disbursement")))


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_the_notice_of_the_page_is_genuine_and_says_that_it_is_paid(contract: str) -> None:
    headers, content = genuine(contract)
    said = callback(contract).verify(headers, content, NOW)
    assert (said.secret_index, bool(said.notice_id)) == (1, True)
    [result] = (await channel(contract)).read_notice(content)
    assert (result.reference, result.status, result.amount, result.currency) == (REFERENCE, ResultStatus.SETTLED, 500_000, "VND")
    assert result.occurred_at == NOW


@pytest.mark.parametrize("contract", ["wallet_query", "wallet_ipn"])
async def test_our_requests_are_signed_as_the_page_says(contract: str) -> None:
    import httpx

    said, seen = vectors(contract), []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-signature"])
        return httpx.Response(200, content=b"{}")

    async with client(to=(row(contract).url,), transport=httpx.MockTransport(answer)) as http:
        speaks: Any = channel_of(row(contract), http, Keyring("disbursement", keyring_data("disbursement")))
        with pytest.raises(Exception, match="fields of the batch answer"):
            await speaks.send("B1", said["request body"].encode(), frozenset())
    assert seen == [said["x-signature"]]


def test_what_each_waits_to_hear() -> None:
    answers = {name: [callback(name).acknowledge(duplicate=again) for again in (False, True)] for name in CONTRACTS}
    assert [(item.status, json.loads(item.body)["RspCode"]) for item in answers["wallet_query"]] == [(200, "00"), (200, "02")]
    assert [(item.status, item.body) for item in answers["wallet_ipn"]] == [(204, b"")] * 2
    assert [item.body.decode() for item in answers["mobile_money"]] == [vectors("mobile_money")["answer"]] * 2


FORGED: list[tuple[str, bytes, bytes]] = [
    ("wallet_query", b"amount=50000000", b"amount=60000000"),
    ("wallet_query", b"status=SUCCESS", b"status=FAILED"),
    ("wallet_query", b"&signature=", b"&x="),
    ("wallet_query", b"code=&", b"code=&code=&"),
    ("wallet_query", b"notice_id=N0001", b"notice_id="),
    ("wallet_query", b"sent_at=1725502447", b"sent_at=1725502448"),
    ("wallet_query", b"&signature=", b"&signature=&signature="),
    ("wallet_ipn", b'"amount":500000', b'"amount":600000'),
    ("wallet_ipn", b'"amount":500000', b'"amount":500000.0'),
    ("wallet_ipn", b'"signature"', b'"note":1,"signature"'),
    ("wallet_ipn", b'"signature"', b'"sign"'),
    ("wallet_ipn", b"{", b"[{"),
    ("wallet_ipn", b'"R0001"', b'""'),
    ("mobile_money", b'"id":"N1"', b'"id":1'),
    ("mobile_money", b'"id":"N1",', b""),
    ("mobile_money", b"{", b"{{"),
]


@pytest.mark.parametrize(("contract", "part", "changed"), FORGED)
def test_what_was_altered_is_not_genuine(contract: str, part: bytes, changed: bytes) -> None:
    headers, content = genuine(contract)
    with pytest.raises(InvalidSignature):
        callback(contract).verify(headers, content.replace(part, changed, 1), NOW)


@pytest.mark.parametrize("given", ["", "Apikey ", "Apikey whsec_x", f"Bearer {SECRET}", SECRET, f"Apikey {SECRET} "])
def test_without_a_live_key_nothing_is_believed(given: str) -> None:
    _, content = genuine("mobile_money")
    with pytest.raises(InvalidSignature):
        callback("mobile_money").verify({"authorization": given}, content, NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stamp_is_good_for_five_minutes(minutes: int) -> None:
    headers, content = genuine("wallet_query")
    with pytest.raises(InvalidSignature):
        callback("wallet_query").verify(headers, content, NOW + timedelta(minutes=minutes))


def test_a_notice_sent_again_with_a_new_stamp_is_the_same() -> None:
    import hashlib
    import hmac

    from common.webhooks import decode_secret

    headers, content = genuine("wallet_query")
    first = callback("wallet_query").verify(headers, content, NOW)
    later = vectors("wallet_query")["notice"].replace("sent_at=1725502447", "sent_at=1725502507")
    signature = hmac.new(decode_secret(SECRET), later.encode(), hashlib.sha512).hexdigest()
    again = callback("wallet_query").verify({}, f"{later}&signature={signature}".encode(), NOW + timedelta(minutes=1))
    assert (first.notice_id, first.same) == (again.notice_id, again.same)


@pytest.mark.parametrize("codes", [wallet_query.CODES, wallet_ipn.CODES, mobile_money.CODES])
def test_every_code_means_a_reason_we_have_words_for(codes: dict[str, str]) -> None:
    assert set(codes.values()) <= REASONS.keys()
    assert {"NOT_UPGRADED", "LIMIT_EXCEEDED", "ACCOUNT_CLOSED"} <= set(codes.values())


WORDS: list[tuple[str, dict[str, Any], ResultStatus, str | None]] = [
    ("wallet_query", {"status": "FAILED", "code": "15"}, ResultStatus.FAILED, "NOT_UPGRADED"),
    ("wallet_query", {"status": "FAILED", "code": ""}, ResultStatus.FAILED, "PARTNER_REFUSED"),
    ("wallet_query", {"status": "FAILED", "code": "77"}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_query", {"status": "FAILED", "code": "94"}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_query", {"status": "success"}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_query", {"status": "REVERSED"}, ResultStatus.RETURNED, "RETURNED_BY_PROVIDER"),
    ("wallet_ipn", {"resultCode": 4015}, ResultStatus.FAILED, "NOT_UPGRADED"),
    ("wallet_ipn", {"resultCode": 4022}, ResultStatus.FAILED, "LIMIT_EXCEEDED"),
    ("wallet_ipn", {"resultCode": 12345}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_ipn", {"resultCode": "0"}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_ipn", {"resultCode": False}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_ipn", {"resultCode": 41}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("wallet_ipn", {"resultCode": 8000}, ResultStatus.RETURNED, "RETURNED_BY_PROVIDER"),
    ("wallet_ipn", {"resultCode": 7002}, ResultStatus.RECEIVED, None),
    ("mobile_money", {"state": "FAILED", "error": "UPGRADE_REQUIRED"}, ResultStatus.FAILED, "NOT_UPGRADED"),
    ("mobile_money", {"state": "FAILED", "error": "LIMIT_MONTH"}, ResultStatus.FAILED, "LIMIT_EXCEEDED"),
    ("mobile_money", {"state": "FAILED", "error": "NEW"}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
    ("mobile_money", {"state": "ON_HOLD"}, ResultStatus.RECEIVED, None),
    ("mobile_money", {"state": None}, ResultStatus.UNRECOGNISED, "UNRECOGNISED_CODE"),
]


@pytest.mark.parametrize(("contract", "said", "status", "reason"), WORDS)
async def test_words_and_codes(contract: str, said: dict[str, Any], status: ResultStatus, reason: str | None) -> None:
    [result] = (await channel(contract)).read_notice(_notice(contract, said))
    assert (result.status, result.reason) == (status, reason)


def _notice(contract: str, said: dict[str, Any]) -> bytes:
    if contract == "wallet_query":
        return "&".join(f"{name}={value}" for name, value in {"merchant": "ansinh", **said}.items()).encode()
    return orjson.dumps({"id": "N", "payouts": [said]} if contract == "mobile_money" else {"accessKey": "ansinh", **said})


@pytest.mark.parametrize(("written", "amount"), [("50000000", 500_000), ("50000001", None), ("-100", None), ("5e7", None), ("", None)])
async def test_hundredths_are_whole_dong_or_not_ours(written: str, amount: int | None) -> None:
    [result] = (await channel("wallet_query")).read_notice(_notice("wallet_query", {"status": "SUCCESS", "amount": written}))
    assert result.amount == amount


@pytest.mark.parametrize(
    ("contract", "content"),
    [("wallet_query", b"merchant=somebody"), ("wallet_query", b"\xff"), ("wallet_ipn", b'{"accessKey":"b"}'), ("wallet_ipn", b"[]"),
     ("mobile_money", b'{"payouts":{}}'), ("mobile_money", b"null")],
)  # fmt: skip
async def test_a_genuine_notice_that_is_not_of_the_contract_goes_to_a_person(contract: str, content: bytes) -> None:
    with pytest.raises(NoticeUnreadable):
        (await channel(contract)).read_notice(content)
