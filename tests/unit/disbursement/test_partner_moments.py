"""When a partner says something happened: a moment no reader of our events could hold is left out."""

from __future__ import annotations

import orjson
import pytest

from common.sealing import Keyring
from common.testing import keyring_data
from disbursement.channels.json_batch import JsonBatchChannel
from disbursement.channels.partners import Partner


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2024-09-05T02:14:07+00:00", True), ("2024-09-05T09:14:07+07:00", True), ("2024-09-05T02:14:07", False),
        ("9999-12-31T23:59:59-14:00", False), ("0001-01-01T00:00:00+14:00", False), ("yesterday", False), (7, False), (None, False),
    ],
)  # fmt: skip
def test_moments(said: object, kept: bool) -> None:
    secret = "whsec_" + "A" * 32
    partner = Partner(name="bank", kind="BANK", url="http://bank", outbound_secret=secret, inbound_secrets=(secret,))
    channel = JsonBatchChannel(partner, None, Keyring("disbursement", keyring_data("disbursement")))  # type: ignore[arg-type]
    body = {"type": "payment.results", "results": [{"reference": "R", "status": "SETTLED", "amount": 1, "occurred_at": said}]}
    (result,) = channel.read_notice(orjson.dumps(body))
    assert (result.occurred_at is not None) is kept
