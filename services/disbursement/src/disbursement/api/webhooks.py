"""Partners' notices come in here: verified over raw bytes, stored, answered as the partner's contract says."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from common.problems import MethodNotAllowed, PayloadTooLarge
from disbursement.channels.callbacks import Callback
from disbursement.channels.loading import callback_of
from disbursement.channels.partners import Partner, load_partners
from disbursement.domain.payment_errors import UnknownPartner
from disbursement.usecases.receive_notice import receive_notice

__all__ = ["BODY_LIMIT", "BODY_LIMITS", "routers"]

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes: 5,000 results in one notice are about 1.3 MB."""

QUERY_LIMIT: Final = 16 * 1024
"""Bytes of a notice that comes as a query: it is about one payment."""

BODY_LIMITS: Final = {"/v1/webhooks/": BODY_LIMIT}
"""For `common.web.create_app(body_limits=…)`."""

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class Stored(BaseModel):
    """The notice is durable; it will be applied."""

    stored: bool
    duplicate: bool


_EXAMPLE: Final = {
    "type": "payment.results",
    "results": [
        {
            "reference": "01920E5C6C1D7A549C0E2F6F0D6A1B11001",
            "status": "SETTLED",
            "amount": 2055000,
            "currency": "VND",
            "code": None,
            "partner_reference": "FT24263000017",
            "occurred_at": "2024-09-05T02:14:07+00:00",
        }
    ],
}
_OTHERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Hợp đồng riêng của đơn vị. A partner's own contract: what it waits to read, in JSON"},
    204: {"description": "Hợp đồng riêng của đơn vị, không có nội dung. A partner's own contract that reads no body"},
}


@router.post(
    "/partners/{partner}",
    status_code=202,
    response_model=Stored,
    responses=_OTHERS,
    summary="Đơn vị chi trả báo kết quả · A partner's notice",
    description="Thông báo kết quả của đơn vị chi trả. Standard Webhooks (v1) over the raw body, ±5 minutes; 202 once it is stored."
    " The same webhook-id again is answered 202 and has no further effect. A partner with a contract of its own is believed and answered"
    " by that contract (docs/partner).",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"example": _EXAMPLE}}}},
)
async def partner_notice(request: Request, partner: str) -> Response:
    """Verify, store, answer. Authenticated by the signature, not by a token."""
    _callback(request, partner, "POST")
    body = await request.body()
    if len(body) > BODY_LIMIT:
        raise PayloadTooLarge(f"At most {BODY_LIMIT} bytes are taken here")
    return await _taken(request, partner, body)


@router.get(
    "/partners/{partner}",
    status_code=200,
    summary="Đơn vị chi trả báo kết quả bằng chuỗi truy vấn · A partner's notice in a query",
    description="Thông báo kết quả qua chuỗi truy vấn có chữ ký. Only for partners whose contract says so; the signed query is the notice,"
    " about one payment, and is answered once it is stored.",
)
async def partner_query_notice(request: Request, partner: str) -> Response:
    """As :func:`partner_notice`; the raw bytes are the query string."""
    _callback(request, partner, "GET")
    query: bytes = request.scope["query_string"]
    if len(query) > QUERY_LIMIT:
        raise PayloadTooLarge(f"At most {QUERY_LIMIT} bytes are taken here")
    return await _taken(request, partner, query)


def _callback(request: Request, partner: str, method: str) -> Callback:
    found = callbacks_of(request).get(partner)
    if found is None:
        raise UnknownPartner()
    if found.method != method:
        raise MethodNotAllowed(headers={"Allow": found.method})
    return found


async def _taken(request: Request, partner: str, content: bytes) -> Response:
    state, callbacks = request.app.state, callbacks_of(request)
    new = await receive_notice(state.db, state.db.keyring, callbacks, partner, request.headers, content)
    answer = callbacks[partner].acknowledge(duplicate=not new)
    return Response(answer.body, answer.status, media_type=answer.media_type)


def callbacks_of(request: Request) -> dict[str, Callback]:
    """How each configured partner tells us; made once from :func:`partners_of`."""
    state = request.app.state
    callbacks: dict[str, Callback] | None = getattr(state, "callbacks", None)
    if callbacks is None:
        callbacks = state.callbacks = {name: callback_of(partner) for name, partner in partners_of(request).items()}
    return callbacks


def partners_of(request: Request) -> dict[str, Partner]:
    """The configured partners: `app.state.partners` if `main` set it, else read once from `settings.partners_file`."""
    state = request.app.state
    partners: dict[str, Partner] | None = getattr(state, "partners", None)
    if partners is None:
        partners = state.partners = load_partners(state.settings.partners_file)
    return partners


routers: tuple[APIRouter, ...] = (router,)
