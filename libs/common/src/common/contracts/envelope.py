"""What every event has in common: strictness, money, months, sealed fields, and the CloudEvents envelope."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CURRENCY", "Amount", "Envelope", "Event", "Month", "Sealed", "UnitPath"]

CURRENCY: Final = "VND"

Amount = Annotated[int, Field(ge=0, description="Whole đồng (VND has no minor unit)")]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Calendar month, YYYY-MM")]
UnitPath = Annotated[str, Field(description="Codes from the province down, joined by '/', as of the business date: 60/593/22924")]
Sealed = Annotated[
    dict[str, str],
    Field(description="Consuming service → AES-GCM token that only this service can open (see common.sealing)"),
]


class Event(BaseModel):
    """Base of all events: closed when produced, tolerant when consumed (:meth:`parse_tolerant`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    TOPIC: ClassVar[str]
    """The topic on which this event is published."""
    KEY: ClassVar[str]
    """The field that is the Kafka key."""

    version: int = Field(ge=1, description="Grows with every change of this part; a consumer applies only a higher one")
    business_date: date = Field(description="The business date on which the producer acted")

    @classmethod
    def type_name(cls) -> str:
        """The event's name on the wire (`ce_type`)."""
        return cls.__name__

    @classmethod
    def schema_name(cls) -> str:
        """The committed JSON Schema's name, `<Event>.v1`."""
        return f"{cls.__name__}.v1"

    @classmethod
    def parse_tolerant(cls, data: dict[str, Any]) -> Self:
        """Read what another service sent: fields this version does not know are left aside."""
        return cls.model_validate({name: value for name, value in data.items() if name in cls.model_fields})


class Envelope(BaseModel):
    """CloudEvents 1.0 attributes (binary mode: Kafka headers `ce_*`) and the JSON body of one event."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    dataschema: str
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    data: dict[str, Any]
