"""A calendar month as people send it to an API: of a year that a calendar has and a system like this can mean."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["Month"]

Month = Annotated[str, Field(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", description="Calendar month, YYYY-MM")]
