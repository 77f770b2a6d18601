"""What waits for people in reporting, as counted queries (see `common.work_list`)."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.work_list import PARKED, Kind
from reporting.domain.obstacle import ANSWERERS, Level, level_words
from reporting.storage.followed import MILESTONES, OBSTACLES
from reporting.storage.targets import LATE_LISTS

__all__ = ["WORK"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_SENIORS: Final = (Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
# Once a unit and month, whatever lists of it are missing.
_LATE_UNITS: Final = (
    f"(SELECT unit_path, due_on FROM {LATE_LISTS} AS c GROUP BY unit_path, due_on) AS w WHERE w.due_on < CAST(:day AS date)"
)
_HERE: Final = ("w.unit_path", "w.now_path")  # written at a unit of the caller, or going on there
_SEE: Final = ("GET", "/v1/obstacles")


def _at(level: Level, roles: tuple[Role, ...]) -> Kind:
    words = level_words(level)
    return Kind(
        f"obstacles_{level.lower()}", f"Vướng mắc chờ trả lời – {words.vi.lower()}", f"Obstacles to answer – {words.en.lower()}", roles,
        f"{OBSTACLES} WHERE w.state = 'OPEN' AND w.level = '{level}'", "w.level_since", ("POST", "/v1/obstacles/{obstacle_id}/answer"),
        _SEE, deadline="w.due_on", page="/pages/obstacles", unit=_HERE,
    )  # fmt: skip


WORK: Final = (
    *(_at(level, ANSWERERS[level]) for level in Level),
    Kind(
        "obstacles_answered", "Vướng mắc đã được trả lời, chờ đơn vị xác nhận", "Answered obstacles: say whether it helped", _OFFICERS,
        f"{OBSTACLES} WHERE w.state = 'ANSWERED'", "w.answered_on", ("POST", "/v1/obstacles/{obstacle_id}/closing"), _SEE, days=5,
        maker="w.answered_by", page="/pages/obstacles", unit=_HERE,
    ),
    Kind(
        "late_units", "Đơn vị chậm: danh sách chi chưa được duyệt khi đã đến hạn", "Late units: a payment list not approved when it is due",
        _SENIORS, _LATE_UNITS, "least(w.due_on, CAST(:day AS date))", ("POST", "/v1/obstacles"), ("GET", "/v1/targets/reminders"),
        deadline="w.due_on", page="/pages/targets", about={"/unit_path": "w.unit_path"},
    ),
    Kind(
        "milestones", "Mốc kế hoạch đến hạn trong 30 ngày hoặc đã chậm", "Milestones due within 30 days, or late", _OFFICERS,
        f"{MILESTONES} WHERE w.actual_on IS NULL AND w.planned_on <= CAST(:day AS date) + 30", "least(w.planned_on, CAST(:day AS date))",
        ("PUT", "/v1/milestones/{milestone_id}/actual"), ("GET", "/v1/milestones"), deadline="w.planned_on", page="/pages/targets",
        unit=_HERE,
    ),
    Kind(
        "inspection_cases", "Trường hợp kiểm tra chưa ghi kết quả", "Inspection cases without a result",
        (Role.AUDITOR, Role.DEPARTMENT_OFFICER),
        "sample_case AS c JOIN inspection_sample AS w USING (sample_id) WHERE c.result IS NULL AND w.state = 'OPEN'", "w.drawn_on",
        ("PUT", "/v1/inspection-samples/{sample_id}/cases/{position}/finding"), ("GET", "/v1/inspection-samples"), days=20,
        about={"position": "c.position"},
    ),
    *PARKED,
)  # fmt: skip
"""Kinds of work, in the order they are asked for."""
