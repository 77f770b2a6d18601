"""The pages of `/pages/…`: one shell (menu, sign-in, language, picker), one script module per page. Files only; no figure, no person."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from fastapi import APIRouter, Request, Response

from common.problems import NotFound

__all__ = ["PAGES", "Page", "add_pages", "asset_answer", "asset_names"]

_TYPES: Final = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_FOLDER: Final = files("reporting") / "console"


@dataclass(frozen=True)
class Page:
    """One page: `/pages/<name>`, drawn by `console/page-<name>.js`; the titles are its words in the menu too."""

    name: str
    vi: str
    en: str


# In the order of the menu. Another page: a line here and its module.
PAGES: Final = (
    Page("my-work", "Việc hôm nay", "My work today"),
    Page("coverage", "Tỷ lệ qua tài khoản", "Paid by account"),
    Page("progress", "Tiến độ", "Progress"),
    Page("people", "Không bỏ sót ai", "Nobody left behind"),
    Page("reasons", "Vướng ở đâu", "Holds and failures"),
    Page("funnel", "Từ danh sách đến tay", "Funnel"),
    Page("channels", "Kênh chi trả", "Channels"),
    Page("targets", "Chỉ tiêu", "Targets"),
    Page("obstacles", "Vướng mắc", "Obstacles"),
    Page("reports", "Báo cáo theo quy định", "Statutory reports"),
    Page("statement", "Bản kê trợ cấp", "Benefit statement"),
)

_ELSEWHERE: Final = (
    ("/pages/survey", "Khảo sát", "Survey"),
    ("/console/", "Bảng điều khiển", "Console"),
)
"""What the menu leads to outside the shell."""


@cache
def asset_names() -> frozenset[str]:
    """Our own files that a browser may ask for."""
    return frozenset(entry.name for entry in _FOLDER.iterdir() if entry.name.rsplit(".", 1)[-1] in _TYPES)


@cache
def _asset(name: str) -> tuple[bytes, bytes, str]:
    """Bytes, the same compressed, and a tag."""
    body = (_FOLDER / name).read_bytes()
    return body, gzip.compress(body, mtime=0), '"' + hashlib.sha256(body).hexdigest()[:32] + '"'


@cache
def _version() -> str:
    """Changes with any asset: an address with it may be kept for ever."""
    return hashlib.sha256("".join(_asset(name)[2] for name in sorted(asset_names())).encode()).hexdigest()[:12]


def asset_answer(name: str, request: Request, headers: dict[str, str], *, version: str | None = None) -> Response:
    """One of our files, compressed where the browser takes it. At the address of this version kept for a year, else asked again."""
    if name not in asset_names():
        raise NotFound("No such file")
    plain, packed, tag = _asset(name)
    keep = "public, max-age=31536000, immutable" if version == _version() else "no-cache"
    sent = headers | {"ETag": tag, "Cache-Control": keep, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=sent)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=_TYPES[name.rsplit(".", 1)[-1]], headers=sent | {"Content-Encoding": "gzip"})
    return Response(plain, media_type=_TYPES[name.rsplit(".", 1)[-1]], headers=sent)


def _link(address: str, vi: str, en: str, page: str = "") -> str:
    marked = f' data-page="{escape(page)}"' if page else ""
    return f'<a href="{escape(address)}"{marked} data-vi="{escape(vi)}" data-en="{escape(en)}">{escape(vi)}</a>'


def _document(page: Page) -> str:
    menu = [_link(f"/pages/{other.name}", other.vi, other.en, other.name) for other in PAGES]
    menu += [_link(*other) for other in _ELSEWHERE]
    return Template((_FOLDER / "shell.html").read_text(encoding="utf-8")).substitute(
        title=escape(page.vi),
        assets=f"/console/v/{_version()}",
        menu="\n      ".join(menu),
        sign_in=(_FOLDER / "sign-in.part.html").read_text(encoding="utf-8").strip(),
    )


def add_pages(router: APIRouter, headers: dict[str, str]) -> None:
    """`/pages/<name>` and the versioned assets. `headers`: the console's security headers (no inline script, nothing from elsewhere)."""

    @router.get("/console/v/{version}/{name}")
    async def versioned(version: str, name: str, request: Request) -> Response:
        return asset_answer(name, request, headers, version=version)

    def add(page: Page) -> None:
        text = _document(page)

        @router.get(f"/pages/{page.name}", name=f"page_{page.name}")
        async def show() -> Response:
            return Response(text, media_type="text/html; charset=utf-8", headers=headers)

    for page in PAGES:
        add(page)
