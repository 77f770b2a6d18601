"""Keys that were alive when somebody was erased: noted with the erasure, watched until the last of them is destroyed.

Emptied columns leave remnants: dead rows, the log of changes, backups. What lay encrypted in them opens only with the keys of that day.
Each erasure therefore notes every key of the service's keyring (generations: all people of a service share them), and is over when none
of them is in the keyring any more: `./ansinh keys rotate` puts everybody else's values under new keys and destroys the old ones.
"""

from __future__ import annotations

from typing import Any, Final

from common import audit
from common.actor import SYSTEM
from common.db import Database, Tx

__all__ = ["WAITING", "keys_now", "note_destroyed"]

WAITING: Final = (
    "SELECT count(*) AS waiting, min(decided_at) AS since, min(keys_due_on) AS due_on FROM erasure_request"
    " WHERE state = 'DONE' AND keys_destroyed_at IS NULL"
)
"""How many erasures wait for keys to be destroyed, since when, and the day the first of them is due."""

# Erased before keys were noted: those alive now are all of the old ones that are left.
_UNNOTED: Final = (
    "UPDATE erasure_request SET keys = CAST(:alive AS text[]), keys_due_on = CAST(decided_at AS date) + CAST(:days AS integer)"
    " WHERE state = 'DONE' AND keys IS NULL"
)
_DESTROYED: Final = (
    "UPDATE erasure_request SET keys_destroyed_at = now()"
    " WHERE state = 'DONE' AND keys_destroyed_at IS NULL AND NOT keys && CAST(:alive AS text[]) RETURNING erasure_id"
)


def keys_now(tx: Tx) -> list[str]:
    """Ids of all keys of the service's keyring, as its file is at this moment."""
    if tx.db.keyring is None:
        raise RuntimeError("this needs a keyring")
    return tx.db.keyring.key_ids


async def note_destroyed(db: Database, days: int) -> int:
    """Note the erasures none of whose keys is left; how many. `days`: what an erasure from before keys were noted is given."""
    async with db.read() as tx:
        waiting: Any = await tx.row(WAITING)
        if not waiting["waiting"]:
            return 0
    async with db.transaction(SYSTEM("housekeeping")) as tx:
        alive = keys_now(tx)
        await tx.execute(_UNNOTED, alive=alive, days=days)
        ids = [str(row["erasure_id"]) for row in await tx.rows(_DESTROYED, alive=alive)]
        if ids:
            what = audit.Bulk.of(ids, before={"keys_destroyed": False}, after={"keys_destroyed": True}, requests=ids, alive=alive)
            await audit.record(tx, "erasure.keys-destroyed", "erasure_request", "many", what)
    return len(ids)
