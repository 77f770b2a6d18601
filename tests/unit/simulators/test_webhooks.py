"""The partner's own Standard Webhooks: the published vector, and every way to be wrong."""

from __future__ import annotations

import base64

import pytest

from simulators.webhooks import BadSignatureError, key_of, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**changed: str | None) -> dict[str, str]:
    given = {"webhook-id": MESSAGE, "webhook-timestamp": str(STAMP), "webhook-signature": SIGNATURE}
    given.update({f"webhook-{name}": value for name, value in changed.items() if value is not None})
    return {name: value for name, value in given.items() if changed.get(name.removeprefix("webhook-"), "") is not None}


def test_published_vector() -> None:
    assert sign(SECRET, MESSAGE, STAMP, BODY) == SIGNATURE
    verify([SECRET], headers(), BODY, STAMP)


def test_one_right_signature_among_several_is_enough_and_old_secrets_live_on() -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    verify([other, SECRET], headers(signature=f"v1,AAAA v1a,{SIGNATURE[3:]} {SIGNATURE}"), BODY, STAMP)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None},
        {"timestamp": None},
        {"signature": None},
        {"id": "msg_other"},
        {"timestamp": str(STAMP + 1)},
        {"timestamp": "soon"},
        {"timestamp": "-1"},
        {"signature": "v1,AAAA"},
        {"signature": SIGNATURE[3:]},
        {"signature": "v2," + SIGNATURE[3:]},
        {"signature": "v1,%%"},
    ],
)
def test_refused(changed: dict[str, str | None]) -> None:
    with pytest.raises(BadSignatureError):
        verify([SECRET], headers(**changed), BODY, STAMP)


def test_refused_body_secret_and_time() -> None:
    for secrets, body, now in (
        ([SECRET], BODY + b" ", STAMP),
        ([], BODY, STAMP),
        ([SECRET], BODY, STAMP + 301),
        ([SECRET], BODY, STAMP - 301),
        (["whsec_" + base64.b64encode(b"x" * 32).decode()], BODY, STAMP),
    ):
        with pytest.raises(BadSignatureError):
            verify(secrets, headers(), body, now)
    verify([SECRET], headers(), BODY, STAMP + 300)
    verify([SECRET], headers(), BODY, STAMP - 300)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_*", "whsec_" + base64.b64encode(b"x" * 65).decode()])
def test_weak_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        key_of(secret)
