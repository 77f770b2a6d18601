"""HTTP of the issuer: discovery, JWKS, the sign-in page and the token endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
import uuid
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

import jwt
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from simulators.issuer.config import IssuerConfig, Subject
from simulators.issuer.keys import SigningKey
from simulators.issuer.sign_in import Asked, NoReturnError, RefusedSignInError, SignIns
from simulators.serving import health

__all__ = ["create_app"]

_STYLE: Final = files("simulators.issuer") / "sign-in.css"


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
            "authorization_endpoint": f"{config.url}/authorize",
            "token_endpoint": f"{config.url}/token",
            "jwks_uri": f"{config.url}/jwks.json",
            "revocation_endpoint": f"{config.url}/revoke",
            "grant_types_supported": ["authorization_code", "refresh_token", "password", "client_credentials"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": ["openid", "profile"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "claims_supported": ["sub", "name", "roles", "units", "partner"],
        }

    @app.get("/jwks.json", summary="Public keys of the tokens")
    async def jwks() -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.jwk]}

    sign_ins = SignIns(config)
    _sign_in_routes(app, sign_ins)

    def sign(claims: dict[str, Any]) -> str:
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    @app.post(
        "/token", summary="A token of one hour: for a person (authorization_code), a terminal (password), a system (client_credentials)"
    )
    async def token(request: Request) -> JSONResponse:
        form = await request.form()
        grant, (client_id, client_secret) = _field(form, "grant_type"), _client(request, form)
        if grant == "authorization_code":
            return _by_code(config, sign_ins, sign, form, client_id)
        if grant == "refresh_token":
            return _by_refresh(config, sign_ins, sign, form, client_id)
        login, client_id, subject = _by_secret(config, form, grant, client_id, client_secret)
        return _issued(config, sign(_claims(config, login, client_id, subject)))

    _revocation(app, sign_ins)
    return app


def _revocation(app: FastAPI, sign_ins: SignIns) -> None:
    @app.post("/revoke", summary="A person signs out: the refresh token works no more (RFC 7009)")
    async def revoke(request: Request) -> Response:
        form = await request.form()
        sign_ins.forget(_field(form, "token"), _client(request, form)[0])
        return Response(headers={"Cache-Control": "no-store"})


def _sign_in_routes(app: FastAPI, sign_ins: SignIns) -> None:
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
    }

    def shown(key: str, status: int = 200) -> Response:
        policy = {"Content-Security-Policy": sign_ins.policy(key)}
        return HTMLResponse(sign_ins.page(key, wrong=status != 200), status, headers | policy)

    @app.exception_handler(NoReturnError)
    async def nowhere(_request: Request, error: NoReturnError) -> JSONResponse:
        return JSONResponse({"error": "invalid_request", "error_description": str(error)}, 400, headers)

    @app.get("/authorize", summary="The page to choose a ready user")
    async def begin(request: Request) -> Response:
        try:
            return shown(sign_ins.begin(dict(request.query_params)))
        except RefusedSignInError as refused:
            told = {"error": refused.error, "error_description": refused.description}
            return RedirectResponse(refused.asked.back(sign_ins.config.url, **told), 303, headers)

    @app.post("/authorize", summary="A user was chosen: back to the client with a code")
    async def finish(request: Request) -> Response:
        form = await request.form()
        page = _field(form, "page")
        back = sign_ins.finish(page, _field(form, "username"), _field(form, "password"))
        return shown(page, 401) if back is None else RedirectResponse(back, 303, headers)

    @app.get("/sign-in.css", summary="Style of the page")
    async def style() -> Response:
        return Response(_STYLE.read_bytes(), media_type="text/css; charset=utf-8")


def _by_secret(config: IssuerConfig, form: FormData, grant: str, client_id: str, client_secret: str) -> tuple[str, str, Subject]:
    """Login, client and subject of a terminal (password) or a system (client_credentials)."""
    subject: Subject
    if grant == "password":
        login = _field(form, "username")
        if client_id in config.public_clients:
            raise _RefusedError(400, "unauthorized_client", "a browser signs in with authorization_code and PKCE")
        subject = _signed_in_user(config, login, _field(form, "password"))
        client_id = client_id or "terminal"
    elif grant == "client_credentials":
        login = client_id
        subject = _signed_in_client(config, client_id, client_secret)
    else:
        raise _RefusedError(
            400, "unsupported_grant_type", "grant_type must be authorization_code, refresh_token, password or client_credentials"
        )
    return login, client_id, subject


def _by_code(
    config: IssuerConfig, sign_ins: SignIns, sign: Callable[[dict[str, Any]], str], form: FormData, client_id: str
) -> JSONResponse:
    found = sign_ins.redeem(_field(form, "code"), client_id, _field(form, "redirect_uri"), _field(form, "code_verifier"))
    if found is None:
        raise _RefusedError(400, "invalid_grant", "the code is used, too old, or not for this client, address and verifier")
    login, asked = found
    return _signed_in(config, sign, login, asked, sign_ins.remember(login, asked))


def _by_refresh(
    config: IssuerConfig, sign_ins: SignIns, sign: Callable[[dict[str, Any]], str], form: FormData, client_id: str
) -> JSONResponse:
    found = sign_ins.renew(_field(form, "refresh_token"), client_id)
    if found is None:
        raise _RefusedError(400, "invalid_grant", "the refresh token was used, is too old, or is not this client's")
    return _signed_in(config, sign, *found)


def _signed_in(config: IssuerConfig, sign: Callable[[dict[str, Any]], str], login: str, asked: Asked, refresh: str) -> JSONResponse:
    claims = _claims(config, login, asked.client_id, config.users[login])
    if "openid" not in asked.scope.split():
        return _issued(config, sign(claims), refresh_token=refresh)
    told = {name: claims[name] for name in ("iss", "sub", "iat", "exp", "name", "preferred_username")}
    return _issued(config, sign(claims), id_token=sign({**told, "aud": asked.client_id, "nonce": asked.nonce}), refresh_token=refresh)


def _issued(config: IssuerConfig, token: str, **more: str) -> JSONResponse:
    body = {"access_token": token, "token_type": "Bearer", "expires_in": config.token_seconds, **more}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


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
