"""What a life event means for each law: which decision it calls for, and what undoes it.

Death: the month of death stays due, later months end (Decree 20/2021 Art. 8); no decision is needed, the dues end with the person.
Missing and prison: merit is suspended (Ordinance 02/2020 Art. 54), social assistance and the social pension end (Circular 02/2021 Art. 2).
Return: merit resumes (Decree 131/2021 Art. 119); what was ended begins again from the month the new decision is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from registry.domain.decisions import ASSISTANCE, MERIT, Kind

__all__ = ["CONSEQUENCES", "RETURN_REASON", "STATUS", "Event"]


class Event(StrEnum):
    """Kinds of life events. A move is recorded by its hand-over."""

    MOVE = "MOVE"
    DEATH = "DEATH"
    MISSING = "MISSING"
    PRISON = "PRISON"
    RETURN = "RETURN"


CONSEQUENCES: Final[Mapping[tuple[Event, str], tuple[Kind, str]]] = {
    (Event.MISSING, MERIT): (Kind.SUSPEND, "MISSING"),
    (Event.MISSING, ASSISTANCE): (Kind.END, "MISSING"),
    (Event.PRISON, MERIT): (Kind.SUSPEND, "PRISON"),
    (Event.PRISON, ASSISTANCE): (Kind.END, "PRISON"),
}
"""(event, law) → decision and reason for every allowance that is not ended."""

RETURN_REASON: Final[Mapping[Event, str]] = {Event.MISSING: "RETURNED", Event.PRISON: "RELEASED"}
"""Event a return undoes → reason of the decision that resumes."""

STATUS: Final[Mapping[Event, str]] = {Event.MISSING: "MISSING", Event.PRISON: "ACTIVE", Event.RETURN: "ACTIVE"}
"""Event → status of the person. Somebody in prison stays known and reachable: only what is due changes."""
