"""Standard Webhooks: the published vector, and every way to be wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from common.webhooks import InvalidSignature, decode_secret, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
BODY = b'{"test": 2432232314}'


def test_the_published_vector() -> None:
    headers = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, tz=UTC), BODY)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_inside_the_window(seconds: int) -> None:
    verify([SECRET], sign(SECRET, "n1", NOW + timedelta(seconds=seconds), BODY), BODY, NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_outside_the_window_on_both_sides(seconds: int) -> None:
    with pytest.raises(InvalidSignature):
        verify([SECRET], sign(SECRET, "n1", NOW + timedelta(seconds=seconds), BODY), BODY, NOW)


def test_rotation_takes_any_live_secret() -> None:
    assert verify([OTHER, SECRET], sign(SECRET, "n1", NOW, BODY), BODY, NOW).secret_index == 1
    with pytest.raises(InvalidSignature):
        verify([OTHER], sign(SECRET, "n1", NOW, BODY), BODY, NOW)


def test_a_thousand_one_bit_changes_are_refused() -> None:
    seed = 20241101
    print(f"seed {seed}")
    chance = random.Random(seed)
    good = sign(SECRET, "notice-1", NOW, BODY)
    for _ in range(1_000):
        part = chance.choice(["body", "webhook-id", "webhook-timestamp", "webhook-signature"])
        headers, body = dict(good), BODY
        raw = bytearray(body if part == "body" else headers[part].encode())
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(7)
        if part == "body":
            body = bytes(raw)
        else:
            headers[part] = raw.decode("latin-1")
        with pytest.raises(InvalidSignature):
            verify([SECRET], headers, body, NOW)


def test_fails_closed() -> None:
    for headers in ({}, {"webhook-id": "x"}, sign(SECRET, "x", NOW, BODY) | {"webhook-signature": ""}):
        with pytest.raises(InvalidSignature):
            verify([SECRET], headers, BODY, NOW)
    with pytest.raises(InvalidSignature):
        verify([], sign(SECRET, "x", NOW, BODY), BODY, NOW)
    for weak in ("whsec_", "whsec_c2hvcnQ=", "whsec_not base64!"):
        with pytest.raises(ValueError, match="secret"):
            decode_secret(weak)
