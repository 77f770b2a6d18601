"""What the kill harness says of events: one that a consumer never applied is found, even where it applied none of that kind."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from ansinh.chaos.books import lost_events
from common import testing
from common.ids import new_id
from common.topics import Topic

SAID = [(Topic.BENEFICIARY, "BeneficiaryRegistered"), (Topic.BENEFICIARY, "PreferenceRecorded"), (Topic.BENEFICIARY, "EntitlementGranted")]
HEARD = {"BeneficiaryRegistered", "PreferenceRecorded"}


@pytest.mark.parametrize("lost", [None, *sorted(HEARD)])
async def test_a_kind_that_a_consumer_lost_altogether_is_found(lost: str | None, database: Callable[[str], testing.TestDatabase]) -> None:
    dsns = {name: database(name).owner_url.replace("+psycopg", "") for name in ("registry", "accounts")}
    said = [(new_id(), *kind) for kind in SAID]
    with psycopg.connect(dsns["registry"]) as registry, psycopg.connect(dsns["accounts"]) as accounts:
        registry.execute("DELETE FROM outbox")  # the units of the reference data
        for event, topic, kind in said:
            registry.execute(
                "INSERT INTO outbox (event_id, topic, partition, key, type, body, published_at) VALUES (%s, %s, 0, %s, %s, '{}', now())",
                (event, topic, event, kind),
            )
            if kind in HEARD - {lost}:
                accounts.execute("INSERT INTO inbox (consumer, event_id) VALUES ('accounts', %s)", (event,))
    assert lost_events(dsns) == ([] if lost is None else [f"accounts has not applied 1 of {Topic.BENEFICIARY} {lost}"])
