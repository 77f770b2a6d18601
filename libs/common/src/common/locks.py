"""Advisory locks of the mechanisms, in one place: two mechanisms under one number wait for each other without a word.

The numbers are those of every service's database; a service's own locks begin at 7_203_500.
"""

from __future__ import annotations

from enum import IntEnum, unique

__all__ = ["Lock"]


@unique
class Lock(IntEnum):
    """Keys for `pg_advisory_lock` and its kin."""

    MIGRATION = 7_203_411
    """One migration at a time in a database."""
    EVENTS = 7_203_412
    """Shared by whoever adds events; exclusive for a cut-off marker, which must come behind all of them."""
    RESTORE_LOOK = 7_203_413
    """One look at a database's new life."""
    AUDIT_SEALER = 7_203_414
    """One sealer of the audit log."""
    ASKED_AGAIN = 7_203_415
    """Requests without a key that may be the same one again: one at a time for the same words."""
