"""Long answers that give back what they hold (a connection of the database) at the moment they end, however they end."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

import anyio
import starlette.responses
from starlette.types import Send

__all__ = ["StreamingResponse"]


class StreamingResponse(starlette.responses.StreamingResponse):
    """As Starlette's. There, what makes the parts is closed when the garbage is collected: the connection of a download that was broken off
    would be away until then. Here it is closed at once, also while the request is being cancelled."""

    async def stream_response(self, send: Send) -> None:
        """Send the parts; close what makes them."""
        parts = cast("Any", self.body_iterator)
        if not hasattr(parts, "aclose"):
            await super().stream_response(send)
            return
        try:
            await super().stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):
                async with aclosing(parts):
                    pass
