"""`/docs/…`: the documents of this platform as plain pages, so that the console's links work where there is no internet."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from markdown_it import MarkdownIt

from common.problems import NotFound

__all__ = ["DOCUMENTS", "add_documents"]

# What an officer or integrator looks for first: path, Vietnamese, English.
DOCUMENTS: Final = (
    ("operate/bat-dau.md", "Bắt đầu nhanh (tiếng Việt)", "Quick start (Vietnamese)"),
    ("operate/running.md", "Vận hành", "Running it"),
    ("operate/payments.md", "Chi trả", "Payments"),
    ("operate/reconciliation.md", "Đối soát", "Reconciliation"),
    ("integrate/README.md", "Tích hợp hệ thống", "For integrating systems"),
    ("integrate/problems.md", "Danh mục lỗi", "Kinds of error"),
    ("partner/README.md", "Ngân hàng và đơn vị chi trả", "Banks and other partners"),
)
_PATH: Final = re.compile(r"[a-z0-9-]+(/[A-Za-z0-9_-]+)*\.md|README\.md")
_PAGE: Final = Template(
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<title>$title</title>\n<link rel="icon" href="/console/favicon.svg" type="image/svg+xml">\n'
    '<link rel="stylesheet" href="/console/documents.css">\n</head>\n<body>\n'
    '<nav><a href="/console/">Bảng điều khiển · Console</a> <a href="/docs/integrate/README.md">Tích hợp · Integrate</a>'
    ' <a href="/docs/partner/README.md">Đối tác · Partners</a></nav>\n<main>\n$body\n</main>\n</body>\n</html>\n'
)


def add_documents(router: APIRouter, folder: Path | None, headers: dict[str, str]) -> None:
    """Pages of the Markdown files in `folder`; without one nothing is there."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    @router.get("/docs")
    async def first() -> Response:
        return RedirectResponse("/docs/integrate/README.md", status_code=307)

    @router.get("/docs/{path:path}")
    def document(path: str) -> Response:
        file = None if folder is None or not _PATH.fullmatch(path) else folder / path
        if file is None or not file.is_file():
            raise NotFound("No such document")
        text = file.read_text(encoding="utf-8")
        title = next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), path)
        page = _PAGE.substitute(title=escape(title), body=_with_anchors(markdown.render(text)))
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _with_anchors(page: str) -> str:
    """Each heading gets the id that links to a part of a document use."""

    def anchored(found: re.Match[str]) -> str:
        words = re.sub(r"<[^>]+>", "", found[2]).lower()
        name = re.sub(r"[^\w\s-]", "", words).strip().replace(" ", "-")
        return f'<h{found[1]} id="{escape(name)}">{found[2]}</h{found[1]}>'

    return re.sub(r"<h([1-6])>(.*?)</h\1>", anchored, page)
