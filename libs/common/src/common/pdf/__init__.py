"""Papers as PDF: the layout of `common.paper` on A4 pages, text that can be searched and copied, the same paper always the same bytes."""

from common.pdf.document import answer, pdf

__all__ = ["answer", "pdf"]
