"""Printed papers: everything is escaped, nothing is fetched, and the style named in the policy is the style of the page."""

from __future__ import annotations

import base64
import hashlib
import re

from common.paper import Fields, Paper, Signature, Table, Text, answer, html

_PAPER = Paper(
    title="Giấy ủy quyền",
    authority="UBND PHƯỜNG <PHAN THIẾT>",
    number="12/UQ",
    body=[Text("a & b"), Fields([("Họ và tên", "<script>")]), Table(["Tên", "Số tiền"], [("Hòa", 1_500_000)])],
    signatures=[Signature("NGƯỜI ỦY QUYỀN", name="Lê <b>")],
)


def test_text_is_escaped_and_amounts_have_dots() -> None:
    page = "".join(html(_PAPER))
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "UBND PHƯỜNG &lt;PHAN THIẾT&gt;" in page
    assert "Lê &lt;b&gt;" in page
    assert '<td class="n">1.500.000</td>' in page
    assert "http" not in page
    assert "src=" not in page


def test_policy_allows_this_style_and_nothing_else() -> None:
    page = "".join(html(_PAPER))
    found = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    headers = answer(_PAPER).headers
    assert headers["content-security-policy"] == f"default-src 'none'; frame-ancestors 'none'; style-src 'sha256-{digest}'"
    assert headers["cache-control"] == "no-store"
