"""The OpenAPI document as officers need it: roles, problems and worked examples on every operation."""

from common.openapi.document import document_of
from common.openapi.examples import Example, Examples, From, New

__all__ = ["Example", "Examples", "From", "New", "document_of"]
