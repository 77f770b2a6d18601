"""The console: one self-hosted page with Swagger UI over all services, and report pages. No CDN, no inline script."""

from __future__ import annotations

import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from reporting.api.documents import DOCUMENTS, add_documents
from reporting.api.pages import PAGES, add_pages, asset_answer
from reporting.settings import Settings

__all__ = ["console_router"]

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
# Swagger UI 5 (Apache-2.0) as shipped in the wheel fastapi-offline (MIT).
_SWAGGER: Final = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})


def _folder(name: str) -> Traversable:
    return files("fastapi_offline") / "static" if name in _SWAGGER else files("reporting") / "console"


@cache
def _asset(name: str) -> tuple[bytes, str]:
    body = (_folder(name) / name).read_bytes()
    return body, '"' + hashlib.sha256(body).hexdigest()[:32] + '"'


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _security_headers(connect: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {connect}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _pages() -> list[tuple[str, str, str]]:
    return [*((one.name, one.vi, one.en) for one in PAGES), ("survey", "Khảo sát", "Survey")]


def _link(address: str, vi: str, en: str) -> str:
    return f'<a href="{escape(address)}" data-vi="{escape(vi)}" data-en="{escape(en)}">{escape(vi)}</a>'


def console_router(settings: Settings) -> APIRouter:
    """`/console/…` and `/pages/…`: files only; every figure is fetched with the caller's own token."""
    router = APIRouter(include_in_schema=False)
    issuer = (settings.console_issuer or settings.oidc_issuer).rstrip("/")
    connect = " ".join(sorted({_origin(address) for address in [*settings.console_services.values(), issuer]}))
    headers = _security_headers(connect)

    def page(name: str, **values: str) -> Response:
        text = (_folder(name) / name).read_text(encoding="utf-8")
        if values:
            text = Template(text).substitute({key: escape(value, quote=True) for key, value in values.items()})
        return Response(text, media_type=_TYPES["html"], headers=headers)

    @router.get("/")
    async def home() -> Response:
        return RedirectResponse("/console/", status_code=307)

    @router.get("/console")
    async def without_slash() -> Response:
        return RedirectResponse("/console/", status_code=307)

    @router.get("/console/")
    async def index() -> Response:
        links = "\n      ".join(_link(f"/pages/{name}", vi, en) for name, vi, en in _pages())
        documents = "".join(f"<li>{_link(f'/docs/{path}', vi, en)}</li>" for path, vi, en in DOCUMENTS)
        text = Template((_folder("index.html") / "index.html").read_text(encoding="utf-8"))
        return Response(text.substitute(links=links, documents=documents), media_type=_TYPES["html"], headers=headers)

    @router.get("/console/signed-in")
    async def signed_in() -> Response:
        return page("signed-in.html")

    @router.get("/console/settings.json")
    async def console_settings() -> dict[str, object]:
        return {
            "services": settings.console_services,
            "authorize_url": issuer + settings.console_authorize_path,
            "token_url": issuer + settings.console_token_path,
            "end_session_url": issuer + settings.console_end_session_path if settings.console_end_session_path else None,
            "revoke_url": issuer + settings.console_revoke_path if settings.console_revoke_path else None,
            "client_id": settings.console_client_id,
            "training": settings.console_training,
        }

    @router.get("/console/{name}")
    async def asset(name: str, request: Request) -> Response:
        if name not in _SWAGGER:
            return asset_answer(name, request, headers)
        body, tag = _asset(name)
        cached = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=cached | headers)
        return Response(body, media_type=_TYPES[name.rsplit(".", 1)[-1]], headers=cached | headers)

    @router.get("/pages/survey")
    async def survey_page() -> Response:
        return page("survey.html")

    add_documents(router, settings.console_docs_folder, headers)
    add_pages(router, headers)
    return router
