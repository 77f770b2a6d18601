"""Schema changes on a database that holds notices already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from common import migrate
from common.auth import SYSTEM
from common.ids import new_id
from disbursement.settings import Settings


async def test_waiting_notices_keep_their_order_when_pauses_are_introduced(
    database: Callable[[str], Any], keys_file: Callable[[str], Any]
) -> None:
    made = database("disbursement")
    settings = Settings(database_url=made.app_url, owner_database_url=made.owner_url, keys_file=keys_file("disbursement"))
    await asyncio.to_thread(migrate.downgrade, settings, "disbursement", "0002")
    async with made.db.transaction(SYSTEM("test")) as tx:
        for minutes in (5, 9):
            await tx.execute(
                "INSERT INTO partner_notice (notice_id, partner, webhook_id, sent_at, body, body_digest, received_at)"
                " VALUES (:id, 'agribank', :webhook, now(), '', '', now() - make_interval(mins => :minutes))",
                id=new_id(), webhook=f"w{minutes}", minutes=minutes,
            )  # fmt: skip
    await asyncio.to_thread(migrate.upgrade, settings, "disbursement")
    async with made.db.read() as tx:
        rows = await tx.rows("SELECT webhook_id, next_try_at = received_at AS same FROM partner_notice ORDER BY next_try_at")
    assert [(row["webhook_id"], row["same"]) for row in rows] == [("w9", True), ("w5", True)]
