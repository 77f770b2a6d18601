"""Data that the law and the government give: read-only files."""
