"""What waits for people among imported lists: the same in every service that imports."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.work_list import Kind, moment

__all__ = ["IMPORT_WORK"]

_SENDERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_CHECKERS: Final = (Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)

IMPORT_WORK: Final = (
    Kind(
        "imports", "Danh sách nhập, chờ duyệt", "Imported lists to approve", _CHECKERS,
        "import_file AS w WHERE w.state = 'CHECKED' AND NOT w.dry_run AND (w.created_by <> :me OR NOT w.needs_second)",
        moment("coalesce(w.checked_at, w.created_at)"), ("POST", "/v1/imports/{import_id}/approve"), ("GET", "/v1/imports"), days=3,
    ),
    Kind(
        "import_rows", "Dòng bị từ chối khi nhập, cần sửa hoặc bỏ", "Refused rows of lists to correct or dismiss", _SENDERS,
        "import_row AS r JOIN import_file AS w USING (import_id) WHERE r.verdict = 'REFUSED' AND r.settled IS NULL AND NOT w.dry_run"
        " AND w.state IN ('CHECKED', 'APPROVED', 'APPLIED')",
        moment("w.created_at"), ("POST", "/v1/imports/{import_id}/dismiss"), ("GET", "/v1/imports/waiting"), days=10,
    ),
)  # fmt: skip
"""Kinds of work for a service's own list."""
