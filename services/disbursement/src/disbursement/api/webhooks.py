"""Partners' notices come in here: verified over raw bytes, stored, answered 202."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common.problems import PayloadTooLarge
from disbursement.channels.partners import Partner, load_partners
from disbursement.domain.payment_errors import UnknownPartner
from disbursement.usecases.receive_notice import receive_notice

__all__ = ["BODY_LIMIT", "BODY_LIMITS", "routers"]

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes: 5,000 results in one notice are about 1.3 MB."""

BODY_LIMITS: Final = {"/v1/webhooks/": BODY_LIMIT}
"""For `common.web.create_app(body_limits=…)`."""

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class Stored(BaseModel):
    """The notice is durable; it will be applied."""

    stored: bool
    duplicate: bool


@router.post(
    "/partners/{partner}",
    status_code=202,
    summary="A partner's notice",
    description="Thông báo kết quả của đơn vị chi trả. Standard Webhooks (v1) over the raw body, ±5 minutes; 202 once it is stored."
    " The same webhook-id again is answered 202 and has no further effect.",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "example": {
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
                }
            },
        }
    },
)
async def partner_notice(request: Request, partner: str) -> Stored:
    """Verify, store, answer. Authenticated by the signature, not by a token."""
    partners = partners_of(request)
    if partner not in partners:
        raise UnknownPartner()
    body = await request.body()
    if len(body) > BODY_LIMIT:
        raise PayloadTooLarge(f"At most {BODY_LIMIT} bytes are taken here")
    state = request.app.state
    new = await receive_notice(state.db, state.db.keyring, partners, partner, request.headers, body)
    return Stored(stored=True, duplicate=not new)


def partners_of(request: Request) -> dict[str, Partner]:
    """The configured partners: `app.state.partners` if `main` set it, else read once from `settings.partners_file`."""
    state = request.app.state
    partners: dict[str, Partner] | None = getattr(state, "partners", None)
    if partners is None:
        partners = state.partners = load_partners(state.settings.partners_file)
    return partners


routers: tuple[APIRouter, ...] = (router,)
