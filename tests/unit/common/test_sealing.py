"""Sealed values open only for whom, where and what they were sealed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.ids import new_id
from common.sealing import Keyring, SealBroken


def test_a_token_opens_only_for_its_consumer_event_and_field(keyring: Callable[[str], Keyring]) -> None:
    registry, accounts, disbursement = keyring("registry"), keyring("accounts"), keyring("disbursement")
    event_id = new_id()
    token = registry.seal("accounts", event_id, "national_number", "060123456789")
    assert accounts.open(token) == "060123456789"
    assert "060123456789" not in token
    with pytest.raises(SealBroken):
        disbursement.open(token)
    for wrong in (
        token.replace(str(event_id), str(new_id())),
        token.replace("national_number", "account_number"),
        token[:-4] + "AAA=",
        "v2:x",
        "",
    ):
        with pytest.raises(SealBroken):
            accounts.open(wrong)


def test_at_rest_is_bound_to_field_and_service(keyring: Callable[[str], Keyring]) -> None:
    registry = keyring("registry")
    stored = registry.encrypt("national_number", "060123456789")
    assert registry.decrypt("national_number", stored) == "060123456789"
    assert b"060123456789" not in stored
    for ring, field, value in (
        (registry, "phone", stored),
        (keyring("accounts"), "national_number", stored),
        (registry, "national_number", stored[:-1]),
    ):
        with pytest.raises(SealBroken):
            ring.decrypt(field, value)


def test_blind_index_is_stable_and_keyed(keyring: Callable[[str], Keyring]) -> None:
    assert keyring("registry").blind("n", "1") == keyring("registry").blind("n", "1")
    assert keyring("registry").blind("n", "1") != keyring("accounts").blind("n", "1")
    assert keyring("registry").blind("n", "1") != keyring("registry").blind("m", "1")
