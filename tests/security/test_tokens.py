"""Tokens that hold and tokens that do not; keys that rotate; an issuer that is asked no more often than it should be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from common.actor import Role
from common.auth import Authenticator
from common.problems import ServiceUnavailable, Unauthenticated

ISSUER, AUDIENCE = "https://issuer.example", "ansinh"
FIRST, SECOND = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
CURVE = ec.generate_private_key(ec.SECP256R1())


def public(key: rsa.RSAPrivateKey, kid: str, **more: str) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": "RS256", "use": "sig", **more}


class Issuer:
    """The issuer's JWKS address; counts how often it is asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.away = False
        self.now = 1_000.0
        self.authenticator = Authenticator(
            issuer=ISSUER,
            audience=AUDIENCE,
            jwks_url=f"{ISSUER}/jwks",
            clock=lambda: self.now,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": self.keys})


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "an", "iat": now, "nbf": now, "exp": now + 600, "azp": "console",
        "roles": ["AUDITOR", "offline_access"], "units": ["60/593"],
    } | changed  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: Any = FIRST, kid: str = "one", algorithm: str = "RS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers={"kid": kid})


def by_hand(header: dict[str, Any], payload: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = f"{part(json.dumps(header).encode())}.{part(json.dumps(payload).encode())}"
    return f"{head}.{part(sign(head.encode()))}"


def hmac_of(secret: bytes, text: bytes) -> bytes:
    return hmac.new(secret, text, hashlib.sha256).digest()


async def refused(issuer: Issuer, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await issuer.authenticator.actor(token, None)
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_says_who_what_and_where() -> None:
    actor = await Issuer(public(FIRST, "one")).authenticator.actor(signed(name="An", partner=None), "r-1")
    assert (actor.subject, actor.name, actor.client_id, actor.request_id) == ("an", "An", "console", "r-1")
    assert actor.roles == {Role.AUDITOR}, "roles that are not ours are left out"
    assert actor.sees("60/593/22924")
    assert not actor.sees("60/5930")
    assert not actor.everywhere


async def test_curves_are_taken_too() -> None:
    key = {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(CURVE.public_key())), "kid": "ec", "alg": "ES256", "use": "sig"}
    assert (await Issuer(key).authenticator.actor(signed(CURVE, "ec", "ES256"), None)).subject == "an"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": timedelta(seconds=-60)}, {"exp": None}, {"exp": "soon"}, {"nbf": timedelta(minutes=2)}, {"iat": timedelta(minutes=2)},
        {"iat": None},
        {"aud": "another"}, {"aud": None}, {"aud": ["another"]}, {"iss": "https://other.example"}, {"iss": None},
        {"iss": ISSUER + "/"}, {"sub": None}, {"sub": 7}, {"roles": "AUDITOR"}, {"roles": {"AUDITOR": True}}, {"roles": [["AUDITOR"]]},
        {"units": "60"}, {"units": [60]}, {"partner": ["agribank"]},
    ],
    ids=str,
)  # fmt: skip
async def test_claims_that_do_not_hold(changed: dict[str, Any]) -> None:
    """A claim given as a duration is a moment that far from the call: parameters are made long before."""
    now = int(time.time())
    claims = {name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value for name, value in changed.items()}
    await refused(Issuer(public(FIRST, "one")), signed(**claims))


async def test_clocks_may_differ_a_little() -> None:
    issuer = Issuer(public(FIRST, "one"))
    now = int(time.time())
    for changed in ({"exp": now - 15}, {"nbf": now + 15, "iat": now + 15}, {"aud": ["another", AUDIENCE]}):
        assert (await issuer.authenticator.actor(signed(**changed), None)).subject == "an"


async def test_no_unit_sees_nothing_and_an_empty_path_is_no_unit() -> None:
    issuer = Issuer(public(FIRST, "one"))
    for units in ([], [""], ["/"], None):
        actor = await issuer.authenticator.actor(signed(units=units), None)
        assert not actor.sees("60")
        assert not actor.sees("")


async def test_a_role_of_our_own_workers_comes_from_no_token() -> None:
    actor = await Issuer(public(FIRST, "one")).authenticator.actor(signed(roles=["SYSTEM"]), None)
    assert actor.roles == frozenset()


async def test_algorithms_outside_the_list() -> None:
    issuer = Issuer(public(FIRST, "one"))
    pem = FIRST.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ("none", "None", "NONE", ""):
        await refused(issuer, by_hand({"alg": algorithm, "kid": "one", "typ": "JWT"}, claims(), lambda _text: b""))
    # The public key, which everybody has, as the secret of an HMAC.
    for secret in (pem, pem.strip(), json.dumps(public(FIRST, "one")).encode()):
        token = by_hand({"alg": "HS256", "kid": "one"}, claims(), partial(hmac_of, secret))
        await refused(issuer, token)
    await refused(issuer, signed(algorithm="RS512"))
    await refused(issuer, signed(algorithm="PS256"))
    await refused(issuer, signed(CURVE, "one", "ES256"))  # of the list, but not what this key is for


async def test_a_secret_among_the_issuer_s_keys_is_not_taken() -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()
    issuer = Issuer(
        public(FIRST, "one"), {"kty": "oct", "k": secret, "kid": "shared", "alg": "HS256"}, public(SECOND, "enc", use="enc", alg="RSA-OAEP")
    )
    await refused(issuer, jwt.encode(claims(), b"s" * 32, algorithm="HS256", headers={"kid": "shared"}))
    await refused(issuer, signed(SECOND, "enc"))
    assert (await issuer.authenticator.actor(signed(), None)).subject == "an"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "é.é.é", "\x00.\x00.\x00", "ey" * 5_000, signed()[:-3], signed() + "AA"])
async def test_what_is_no_token(token: str) -> None:
    await refused(Issuer(public(FIRST, "one")), token)


async def test_a_key_id_that_is_missing_or_of_another_key() -> None:
    issuer = Issuer(public(FIRST, "one"), public(SECOND, "two"))
    await refused(issuer, jwt.encode(claims(), FIRST, algorithm="RS256"))
    await refused(issuer, signed(FIRST, "two"))


async def test_keys_are_asked_for_once_and_again_when_they_are_old() -> None:
    issuer = Issuer(public(FIRST, "one"))
    await asyncio.gather(*(issuer.authenticator.actor(signed(), None) for _ in range(20)))
    assert issuer.asked == 1
    issuer.now += 301
    await asyncio.gather(*(issuer.authenticator.actor(signed(), None) for _ in range(20)))
    assert issuer.asked == 2


async def test_a_rotated_key_is_taken_at_once_and_the_old_one_until_it_goes() -> None:
    issuer = Issuer(public(FIRST, "one"))
    await issuer.authenticator.actor(signed(), None)
    issuer.now += 6
    issuer.keys = [public(FIRST, "one"), public(SECOND, "two")]
    assert (await issuer.authenticator.actor(signed(SECOND, "two"), None)).subject == "an"
    assert (await issuer.authenticator.actor(signed(), None)).subject == "an"
    assert issuer.asked == 2
    issuer.now += 301
    issuer.keys = [public(SECOND, "two")]
    await refused(issuer, signed())
    assert (await issuer.authenticator.actor(signed(SECOND, "two"), None)).subject == "an"


async def test_a_flood_of_unknown_key_ids_does_not_reach_the_issuer() -> None:
    issuer = Issuer(public(FIRST, "one"))
    await issuer.authenticator.actor(signed(), None)
    issuer.now += 6
    for number in range(200):
        await refused(issuer, signed(SECOND, f"made-up-{number}"))
    assert issuer.asked == 2, "asked once more, then not again for some seconds"
    assert (await issuer.authenticator.actor(signed(), None)).subject == "an", "known keys go on"


async def test_an_issuer_that_is_away_is_not_hammered_and_known_keys_hold_for_an_hour() -> None:
    issuer = Issuer(public(FIRST, "one"))
    issuer.away = True
    for _ in range(50):
        with pytest.raises(ServiceUnavailable) as caught:
            await issuer.authenticator.actor(signed(), None)
        assert caught.value.headers["Retry-After"] == "5"
    assert issuer.asked == 1
    issuer.away, issuer.now = False, issuer.now + 6
    await issuer.authenticator.actor(signed(), None)
    issuer.away, issuer.now = True, issuer.now + 1_800
    for _ in range(50):
        assert (await issuer.authenticator.actor(signed(), None)).subject == "an"
    assert issuer.asked == 3
    with pytest.raises(ServiceUnavailable):  # perhaps a new key: not the caller's fault
        await issuer.authenticator.actor(signed(SECOND, "two"), None)
    issuer.now += 1_801
    with pytest.raises(ServiceUnavailable):
        await issuer.authenticator.actor(signed(), None)


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"{", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": []}', b"x" * 300_000], ids=len)
async def test_nonsense_from_the_issuer_is_an_issuer_that_is_away(answer: bytes) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=answer))
    authenticator = Authenticator(issuer=ISSUER, audience=AUDIENCE, jwks_url=f"{ISSUER}/jwks", transport=transport)
    with pytest.raises((ServiceUnavailable, Unauthenticated)):
        await authenticator.actor(signed(), None)
