"""HTTP of the issuer: discovery, JWKS and the token endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
import uuid
from typing import Any

import jwt
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData

from simulators.issuer.config import IssuerConfig, Subject
from simulators.issuer.keys import SigningKey
from simulators.serving import health

__all__ = ["create_app"]


class _RefusedError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def create_app(config: IssuerConfig, key: SigningKey) -> FastAPI:
    """The issuer as an application; `key` signs every token."""
    app = FastAPI(title="Development issuer", description="Ready users and tokens for development. Never for production.", version="1")
    if config.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=config.cors_origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    health(app)

    @app.exception_handler(_RefusedError)
    async def refused(_request: Request, error: _RefusedError) -> JSONResponse:
        """Errors as RFC 6749 §5.2 wants them."""
        headers = {"Cache-Control": "no-store"}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Basic"
        return JSONResponse({"error": error.error, "error_description": error.description}, error.status, headers)

    @app.get("/.well-known/openid-configuration", summary="OpenID Connect discovery")
    async def discovery() -> dict[str, Any]:
        return {
            "issuer": config.url,
            "token_endpoint": f"{config.url}/token",
            "jwks_uri": f"{config.url}/jwks.json",
            "grant_types_supported": ["password", "client_credentials"],
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "claims_supported": ["sub", "name", "roles", "units", "partner"],
        }

    @app.get("/jwks.json", summary="Public keys of the tokens")
    async def jwks() -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.jwk]}

    @app.post("/token", summary="A token of one hour for a ready user (password) or a system (client_credentials)")
    async def token(request: Request) -> JSONResponse:
        form = await request.form()
        grant = _field(form, "grant_type")
        client_id, client_secret = _client(request, form)
        subject: Subject
        if grant == "password":
            login = _field(form, "username")
            subject = _signed_in_user(config, login, _field(form, "password"))
            client_id = client_id or "console"
        elif grant == "client_credentials":
            login = client_id
            subject = _signed_in_client(config, client_id, client_secret)
        else:
            raise _RefusedError(400, "unsupported_grant_type", "grant_type must be password or client_credentials")
        signed = jwt.encode(_claims(config, login, client_id, subject), key.private, algorithm="RS256", headers={"kid": key.kid})
        return JSONResponse(
            {"access_token": signed, "token_type": "Bearer", "expires_in": config.token_seconds},
            headers={"Cache-Control": "no-store"},
        )

    return app


def _claims(config: IssuerConfig, login: str, client_id: str, subject: Subject) -> dict[str, Any]:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": config.url,
        "sub": login,
        "aud": config.audience,
        "iat": now,
        "nbf": now,
        "exp": now + config.token_seconds,
        "jti": str(uuid.uuid4()),
        "azp": client_id,
        "client_id": client_id,
        "preferred_username": login,
        "name": subject.name or login,
        "roles": subject.roles,
        "units": subject.units,
    }
    if subject.partner is not None:
        claims["partner"] = subject.partner
    return claims


def _signed_in_user(config: IssuerConfig, login: str, password: str) -> Subject:
    user = config.users.get(login)
    # An unknown name costs the same comparison as a wrong password.
    if not _same(user.password if user else "", password) or user is None:
        raise _RefusedError(400, "invalid_grant", "unknown user or wrong password")
    return user


def _signed_in_client(config: IssuerConfig, client_id: str, secret: str) -> Subject:
    client = config.clients.get(client_id)
    if not _same(client.secret if client else "", secret) or client is None:
        raise _RefusedError(401, "invalid_client", "unknown client or wrong secret")
    return client


def _client(request: Request, form: FormData) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return _field(form, "client_id"), _field(form, "client_secret")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _RefusedError(401, "invalid_client", "unreadable Basic credentials") from error
    return client_id, secret


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode())
