"""The routers of the sending side, for `main`."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from disbursement.api import cases, lanes, restores, unknown

__all__ = ["ROUTERS"]

ROUTERS: Final[tuple[APIRouter, ...]] = (*lanes.routers, *restores.routers, *unknown.routers, *cases.routers)
