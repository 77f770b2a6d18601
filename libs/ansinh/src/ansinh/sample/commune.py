"""Makes and writes one commune: the unit of work of a worker process. What it returns is small beside what it wrote."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ansinh.sample.files import Sheet, write_list
from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE
from ansinh.sample.model import World
from ansinh.sample.people import CommunePeople
from ansinh.sample.plan import CommunePlan
from ansinh.sample.rows import ACCOUNT_COLUMNS, ACCOUNTS, REGISTER_COLUMNS, ListRow, Style, account_rows, choose_style, register_rows
from ansinh.sample.truth import person_truth, standing_of, to_line, totals_key

__all__ = ["LIST_NAMES", "TITLES", "CommuneResult", "CommuneTask", "make_commune"]

LIST_NAMES = {MERIT: "danh-sach-nguoi-co-cong", SOCIAL_ASSISTANCE: "danh-sach-bao-tro-xa-hoi", ACCOUNTS: "dang-ky-nhan-qua-tai-khoan"}
TITLES = {
    MERIT: "DANH SÁCH NGƯỜI CÓ CÔNG VỚI CÁCH MẠNG HƯỞNG TRỢ CẤP ƯU ĐÃI",
    SOCIAL_ASSISTANCE: "DANH SÁCH ĐỐI TƯỢNG BẢO TRỢ XÃ HỘI",
    ACCOUNTS: "DANH SÁCH ĐĂNG KÝ NHẬN TRỢ CẤP QUA TÀI KHOẢN",
}


@dataclass(frozen=True, slots=True)
class CommuneTask:
    """Everything a worker needs to make one commune."""

    plan: CommunePlan
    out: Path
    province: str
    initials: str
    month: str
    business_date: str
    seed: int
    serials: tuple[int, int]
    exact_requests: bool


@dataclass(slots=True)
class CommuneResult:
    """What one commune adds to the whole."""

    plan: CommunePlan
    style: Style
    files: list[dict[str, object]] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)
    supplement: dict[str, list[ListRow]] = field(default_factory=dict)
    travelling: dict[str, list[ListRow]] = field(default_factory=dict)
    next_code: dict[str, str] = field(default_factory=dict)
    world: World = field(default_factory=World)
    truth: bytes = b""
    totals: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    standing: Counter[tuple[str, str]] = field(default_factory=Counter)


def make_commune(task: CommuneTask) -> CommuneResult:
    """Makes the people of a commune, writes its three lists, and answers its world rows and (compressed) truth."""
    plan = task.plan
    made = CommunePeople(
        plan,
        province=task.province,
        initials=task.initials,
        business_date=task.business_date,
        seed=task.seed,
        serials=task.serials,
        exact_requests=task.exact_requests,
    ).build()
    style = choose_style(made.rng)
    result = CommuneResult(plan, style, world=made.world)
    lists: list[tuple[str, tuple[tuple[str, ...], ...], list[ListRow]]] = []
    for programme in (MERIT, SOCIAL_ASSISTANCE):
        rows, corrected, travelling = register_rows(made, programme, style)
        result.supplement[programme], result.travelling[programme] = corrected, travelling
        lists.append((programme, REGISTER_COLUMNS, rows))
    lists.append((ACCOUNTS, ACCOUNT_COLUMNS, account_rows(made, style)))
    for kind, columns, rows in lists:
        if rows:
            write_one(task.out, plan, style, kind, columns, rows, task.month, result.files, result.refused)
    for programme in (MERIT, SOCIAL_ASSISTANCE):
        result.next_code[programme] = made.code(programme)
    _tell_truth(made, task, result)
    return result


def write_one(
    out: Path, plan: CommunePlan, style: Style, kind: str, columns: tuple[tuple[str, ...], ...], rows: list[ListRow], month: str,
    files: list[dict[str, object]], refused: list[dict[str, object]], *, supplement: bool = False,
) -> None:  # fmt: skip
    """Writes one list of one commune and enters it, with its refused rows, in `files` and `refused`."""
    base = out / "lists" / plan.district.code / plan.commune.code / (LIST_NAMES[kind] + ("-bo-sung" if supplement else ""))
    title = TITLES[kind] + (" (BỔ SUNG)" if supplement else "")
    path, bad = write_list(base, columns, rows, style, Sheet(plan.commune.code, plan.commune.name, title, month))
    name = path.relative_to(out).as_posix()
    files.append({"path": name, "kind": kind, "unit_code": plan.commune.code, "rows": len(rows), "supplement": supplement})
    refused.extend({"file": name, "row": r.row, "reason": r.reason} for r in bad)


def _tell_truth(made: CommunePeople, task: CommuneTask, result: CommuneResult) -> None:
    district, unit = task.plan.district.code, task.plan.commune.code
    lines = []
    for p in (*made.people, *made.deceased):
        truth = person_truth(p, district, unit, task.month)
        lines.append(to_line(truth))
        key = totals_key(truth)
        result.totals[(district, truth.programme, key)] += 1
        result.totals[(district, truth.programme, key + ":amount")] += truth.amount
        result.standing.update((truth.programme, code) for code in standing_of(p, truth))
    result.truth = gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=3, mtime=0)
