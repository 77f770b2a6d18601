"""Decisions: proposed by one person, approved by another; approval changes allowances, dues and events in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.lists.cells import hide_numbers
from common.problems import Forbidden, NotFound
from common.sealing import Keyring
from registry.domain.decisions import EFFECTS, RULES, TRANSITIONS, Action, Held, Kind, MonthOpen, State, first_month, reasons_of, rule_of
from registry.domain.errors import AlreadyEntitled, DecisionNotOpen, DecisionRefused, EntitlementState, SamePerson
from registry.domain.rows import Category
from registry.domain.starts import age_warning, law_month
from registry.storage import attachments, catalogue, decision_effects, dues, publishing
from registry.storage import decisions as storage

__all__ = ["Header", "Item", "answer", "answer_locked", "approve_locked", "decide", "needs", "propose", "seen", "warnings"]


@dataclass(frozen=True, slots=True)
class Header:
    """What the paper says: the same for all proposals made together."""

    number: str
    decision_date: date
    signer: str
    business_date: date
    note: str | None = None
    event_date: date | None = None
    attachment_id: UUID | None = None
    transfer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One allowance (or, for a grant, one person and category) a decision is about."""

    kind: Kind
    reason: str
    entitlement_id: UUID | None = None
    person_id: UUID | None = None
    category: str | None = None
    percent: int | None = None
    quantity: int | None = None
    """How many units (years of seniority), where the category is paid by them."""
    effective_month: date | None = None
    arrears_from: date | None = None
    arrears_reason: str | None = None
    """Why months before the law's first month are granted."""
    life_event_id: UUID | None = None
    dependant_id: UUID | None = None


def needs(tx: Tx) -> tuple[Actor, Keyring]:
    """The actor and the keyring of a transaction."""
    if tx.actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    return tx.actor, tx.db.keyring


async def propose(tx: Tx, header: Header, items: Sequence[Item]) -> Sequence[Any]:
    """Propose decisions that are approved together; the rows.

    Raises DecisionRefused (naming each item at fault), EntitlementState, NotFound for people outside the caller's area.
    """
    actor, _ = needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, header.attachment_id)
    if header.decision_date > header.business_date:
        raise DecisionRefused(errors=[{"field": "decision_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    found = await storage.targets(
        tx, [item.entitlement_id for item in items], [item.person_id for item in items], [item.category for item in items],
        [item.percent for item in items], header.decision_date,
    )  # fmt: skip
    unseen = [number for number, row in enumerate(found) if row["person_id"] is None or not actor.sees(row["unit_path"])]
    dependants = [item.dependant_id for item in items if item.dependant_id is not None]
    near = await storage.in_area(tx, actor, dependants) if dependants else set()
    unseen += [number for number, item in enumerate(items) if item.dependant_id is not None and item.dependant_id not in near]
    if unseen:
        raise NotFound("No such allowance or person", errors=[{"field": f"items.{number}", "detail": "not found"} for number in unseen])
    settings = await storage.policy(tx, sorted({rule.setting for rule in RULES.values() if rule.setting}))
    known = await catalogue.categories(tx) if any(item.kind is Kind.GRANT for item in items) else {}
    problems: list[dict[str, str]] = []
    states: list[dict[str, str]] = []
    rows: list[dict[str, Any]] = []
    seen_ids: set[UUID] = set()
    for number, (item, row) in enumerate(zip(items, found, strict=True)):
        state = _state_problem(item, row, seen_ids)
        if state is not None:
            states.append({"field": f"items.{number}.entitlement_id", "detail": state[0], "detail_vi": state[1]})
            continue
        try:
            rows.append(_proposal(header, item, row, settings, known))
        except MonthOpen as open_:
            problems.append({"field": f"items.{number}.{open_.field}", "detail": open_.why, "detail_vi": open_.why_vi})
    if problems:
        raise DecisionRefused(errors=problems)
    if states:
        raise EntitlementState(errors=states)
    bulk_id = new_id()
    stored = await storage.insert(
        tx,
        {
            "bulk_id": bulk_id, "number": header.number, "decision_date": header.decision_date, "signer": header.signer,
            "note": header.note, "event_date": header.event_date, "attachment_id": header.attachment_id,
            "transfer_id": header.transfer_id, "business_date": header.business_date, "maker": actor.subject,
        },
        rows,
    )  # fmt: skip
    kinds = sorted({str(item.kind) for item in items})
    made = (row["decision_id"] for row in stored)
    what = audit.Bulk.of(made, after={"state": State.PROPOSED.value}, kinds=kinds, number=header.number)
    await audit.record(tx, "decision.propose", "decision", bulk_id, what)
    return stored


def _state_problem(item: Item, row: Any, seen_ids: set[UUID]) -> tuple[str, str] | None:
    if row["merged_into"] is not None:
        return "the file was merged: decide on the one it went into", "hồ sơ đã gộp: hãy quyết định trên hồ sơ nhận gộp"
    if (Held(row["held"]), item.kind) not in EFFECTS:
        return f"{row['held']}: {item.kind} is not possible", f"{row['held']}: không thể {item.kind}"
    if item.entitlement_id is not None:
        if row["proposed"]:
            return "another proposal for this allowance is open", "chế độ này đang có đề xuất khác chờ duyệt"
        if item.entitlement_id in seen_ids:
            return "named twice", "nêu hai lần"
        seen_ids.add(item.entitlement_id)
    if item.kind is Kind.GRANT and row["person_status"] == "DECEASED":
        return "the person's death is recorded", "người này đã được ghi nhận qua đời"
    return None


def _proposal(header: Header, item: Item, row: Any, settings: dict[str, str], known: Mapping[str, Category]) -> dict[str, Any]:
    """The row to store. Raises MonthOpen, naming the field."""
    if item.kind in (Kind.GRANT, Kind.ADJUST):
        _check_category(item, row)
    if row["authority"] is None:
        raise MonthOpen(
            "decision_date",
            f"no authority decides on {row['programme']} on that date",
            f"ngày đó chưa có cấp có thẩm quyền quyết định về {row['programme']}",
        )
    # A move proposes nothing the law counts months for: the months are those of the move itself.
    rule = rule_of(item.kind, row["programme"], item.reason) if item.kind is not Kind.TRANSFER else None
    if item.kind is Kind.TRANSFER:
        month, back_pay = item.effective_month, False
    elif rule is None:
        possible = ", ".join(reasons_of(item.kind, row["programme"]))
        raise MonthOpen(
            "reason",
            f"{item.reason} is no ground for {item.kind} in {row['programme']}; possible: {possible}",
            f"{item.reason} không phải căn cứ của {item.kind} trong {row['programme']}; có thể dùng: {possible}",
        )
    else:
        if row["held"] == Held.ENDED and not rule.reopens:
            raise MonthOpen(
                "reason",
                f"an ended allowance is not resumed for {item.reason}: grant it anew",
                f"chế độ đã chấm dứt không hưởng lại vì {item.reason}: hãy lập quyết định cho hưởng mới",
            )
        month, back_pay = first_month(
            rule, decision_date=header.decision_date, event_date=header.event_date, suspended_from=row["suspended_from"],
            given=item.effective_month, setting=settings.get(rule.setting or ""),
        )  # fmt: skip
    if month is None:
        raise MonthOpen("effective_month", "missing", "thiếu tháng")
    _check_month(item, row, month, header)
    if item.kind is Kind.GRANT and header.transfer_id is None:
        _check_start(header, item, row, month, known[item.category or ""])
    return {
        "kind": item.kind, "person_id": row["person_id"], "entitlement_id": row["entitlement_id"], "programme": row["programme"],
        "category": row["category"] if item.kind in (Kind.GRANT, Kind.ADJUST) else None, "percent": row["percent"],
        "quantity": item.quantity,
        "authority": row["authority"], "authority_path": row["authority_path"], "effective_month": month,
        "arrears_from": item.arrears_from, "arrears_reason": hide_numbers(item.arrears_reason or "")[0] or None,
        "back_pay": back_pay, "reason": item.reason,
        "life_event_id": item.life_event_id,
        "unit_path": row["unit_path"], "dependant_id": item.dependant_id,
    }  # fmt: skip


def _check_category(item: Item, row: Any) -> None:
    if item.category is not None and row["known_category"] is None:
        raise MonthOpen("category", "not in the catalogue", "không có trong danh mục")
    if item.kind is Kind.GRANT and item.category is None:
        raise MonthOpen("category", "missing", "thiếu loại đối tượng")
    if item.kind is Kind.ADJUST and item.category is None and item.percent is None and item.quantity is None:
        raise MonthOpen(
            "category",
            "nothing to adjust: give a category, a percentage or a quantity",
            "chưa nêu điều chỉnh gì: ghi loại đối tượng, tỷ lệ hoặc số lượng",
        )
    if row["held_programme"] not in (None, row["programme"]):
        raise MonthOpen(
            "category",
            "of another programme: end the one and grant the other",
            "thuộc chương trình khác: cho thôi hưởng chế độ này và cho hưởng chế độ kia",
        )
    if row["needs_percent"] and not row["percent"]:
        raise MonthOpen("percent", "this category is paid by percentage", "loại này hưởng theo tỷ lệ: hãy ghi tỷ lệ")
    if item.percent is not None and not row["needs_percent"]:
        raise MonthOpen("percent", "this category has no percentage", "loại này không có tỷ lệ")
    if item.quantity is not None and not row["per_quantity"]:
        raise MonthOpen("quantity", "this category is not paid by quantity", "loại này không hưởng theo số lượng")
    if item.kind is Kind.GRANT and item.quantity is None and row["per_quantity"]:
        raise MonthOpen(
            "quantity",
            "this category is paid by quantity (years of seniority): say how many",
            "loại này hưởng theo số lượng (số thâm niên): hãy ghi số lượng",
        )
    if item.arrears_from is not None and item.kind is Kind.ADJUST:
        raise MonthOpen("arrears_from", "an adjustment pays its past months by itself", "quyết định điều chỉnh tự tính các tháng trước")


def _check_month(item: Item, row: Any, month: date, header: Header) -> None:
    if item.kind is Kind.SUSPEND and row["paused_until"] is not None and month < row["paused_until"]:
        raise MonthOpen(
            "effective_month",
            f"suspended before until {row['paused_until'].isoformat()[:7]}",
            f"đã tạm dừng đến {row['paused_until'].isoformat()[:7]}",
        )
    if item.kind in (Kind.ADJUST, Kind.SUSPEND) and month < row["began"]:
        raise MonthOpen(
            "effective_month", f"it begins in {row['began'].isoformat()[:7]}", f"chế độ bắt đầu từ {row['began'].isoformat()[:7]}"
        )
    if item.kind is Kind.END and item.reason == "NOT_REASSESSED":
        if row["suspended_for"] != "NOT_REASSESSED" or row["held"] != Held.SUSPENDED:
            raise MonthOpen("reason", "it is not suspended for this reason", "chế độ không bị tạm dừng vì căn cứ này")
        if header.business_date < month:
            raise MonthOpen(
                "reason", f"three months of suspension end in {month.isoformat()[:7]}", f"ba tháng tạm dừng hết vào {month.isoformat()[:7]}"
            )
    if item.kind is Kind.GRANT and item.arrears_from is not None and item.arrears_from > month:
        raise MonthOpen("arrears_from", "after the first month", "sau tháng đầu tiên")


def _check_start(header: Header, item: Item, row: Any, month: date, category: Category) -> None:
    """Months before the law's first one are granted with the reason said. Raises MonthOpen."""
    first = law_month(category, header.decision_date, header.event_date, row["birth_date"])
    if min(month, item.arrears_from or month) >= first or item.arrears_reason:
        return
    by_law = f"{first.isoformat()[:7]} ({category.start_basis})"
    raise MonthOpen(
        "effective_month" if month < first else "arrears_from",
        f"by law it is {by_law}: earlier months need `arrears_reason`, or the certificate's date as `event_date`",
        f"theo luật là {by_law}: các tháng trước đó cần ghi lý do truy lĩnh (arrears_reason) hoặc ngày giấy chứng nhận (event_date)",
    )


async def warnings(tx: Tx, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What looks odd in grants just proposed: the age against the category. Field `items.N` names the row."""
    known = await catalogue.categories(tx)
    born = await storage.births(tx, [row["person_id"] for row in rows])
    dependants = await storage.births(tx, [row["dependant_id"] for row in rows if row["dependant_id"] is not None])
    found = []
    for number, row in enumerate(rows):
        if row["kind"] != Kind.GRANT:
            continue
        category = known[row["category"]]
        birth = dependants.get(row["dependant_id"]) if category.of_dependant else born[row["person_id"]]
        warning = age_warning(category, birth, row["effective_month"], f"items.{number}")
        found += [warning.as_json()] if warning is not None else []
    return found


async def answer(
    tx: Tx, action: Action, decision_ids: Sequence[UUID], business_date: date, why: str | None = None, *, bulk_id: UUID | None = None
) -> int:
    """Approve, reject or withdraw proposals, all or none; how many.

    Raises NotFound, SamePerson (also when a stranger withdraws), DecisionNotOpen, EntitlementState, AlreadyEntitled.
    """
    actor, _ = needs(tx)
    await publishing.take_people_lock(tx)
    rows = await storage.lock(tx, decision_ids, bulk_id)
    if not rows or len(rows) < len(set(decision_ids)) or not all(actor.sees(row["person_path"]) for row in rows):
        raise NotFound("No such decision")
    owned = [row for row in rows if row["transfer_id"] is not None or row["life_event_id"] is not None]
    if owned:
        raise DecisionNotOpen("It is part of a move or a life event: answer that", errors=_named(owned))
    await answer_locked(tx, action, rows, business_date, why)
    return len(rows)


def _check_authority(actor: Actor, rows: Sequence[Any]) -> None:
    """A decision is entered for the authority that took it: by somebody whose area covers that authority's unit. Raises Forbidden."""
    above = sorted({row["authority"] for row in rows if row["authority_path"] is not None and not actor.sees(row["authority_path"])})
    if above:
        raise Forbidden(f"Decided by {', '.join(above)}: somebody of that level approves it")


async def decide(
    db: Database, actor: Actor, action: Action, decision_ids: Sequence[UUID], business_date: date, why: str | None, bulk_id: UUID | None
) -> int:
    """:func:`answer` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await answer(tx, action, decision_ids, business_date, why, bulk_id=bulk_id)


def _named(rows: Sequence[Any]) -> list[dict[str, str]]:
    return [{"field": "decision_ids", "detail": f"{row['decision_id']}: {row['state']}"} for row in rows[:50]]


async def answer_locked(
    tx: Tx, action: Action, rows: Sequence[Any], business_date: date, why: str | None, *, by_authority: bool = True
) -> None:
    """Answer proposals already locked and seen; `by_authority`: only for the level that decides. The people lock is held."""
    actor, _ = needs(tx)
    closed = [row for row in rows if (State(row["state"]), action) not in TRANSITIONS]
    if closed:
        raise DecisionNotOpen(errors=_named(closed))
    own = [row for row in rows if row["maker"] == actor.subject]
    if action is Action.WITHDRAW and len(own) < len(rows):
        raise SamePerson("Only who proposed it withdraws it; another person rejects it")
    if action is not Action.WITHDRAW and own:
        raise SamePerson("Who proposed a decision cannot answer it", errors=_named(own))
    if action is Action.APPROVE and by_authority:
        _check_authority(actor, rows)
    ids = [row["decision_id"] for row in rows]
    await storage.answer(tx, ids, TRANSITIONS[State.PROPOSED, action], actor.subject, why)
    if action is Action.APPROVE:
        await approve_locked(tx, rows, business_date)
    carried = action is Action.APPROVE
    held = Counter(row["held"] for row in rows)
    now = Counter(EFFECTS[Held(row["held"]), Kind(row["kind"])].value for row in rows) if carried else held
    before = {"state": State.PROPOSED.value, "allowances": dict(held)}
    after = {"state": TRANSITIONS[State.PROPOSED, action].value, "allowances": dict(now)}
    what = audit.Bulk.of(ids, before=before, after=after, number=rows[0]["number"] if rows else None)
    await audit.record(tx, f"decision.{action.lower()}", "decision", rows[0]["bulk_id"] if rows else "none", what)


async def approve_locked(tx: Tx, rows: Sequence[Any], business_date: date) -> None:
    """Carry out approved decisions: allowances, people, dues, events."""
    _, keyring = needs(tx)
    wrong = [row for row in rows if (Held(row["held"]), Kind(row["kind"])) not in EFFECTS]
    wrong += [row for row in rows if row["kind"] == Kind.GRANT and row["person_status"] == "DECEASED"]
    if wrong:
        raise EntitlementState(errors=[{"field": "decision_ids", "detail": f"{row['decision_id']}: {row['held']}"} for row in wrong])
    ids = [row["decision_id"] for row in rows]
    held = await storage.already_held(tx, ids)
    if held:
        raise AlreadyEntitled(errors=[{"field": "decision_ids", "detail": str(row["decision_id"])} for row in held])
    done = await decision_effects.apply(tx, ids)
    people = list(dict.fromkeys(row["person_id"] for row in rows))
    registered, updated = await storage.people_of(tx, people)
    events = [(person_id, "BeneficiaryRegistered") for person_id in registered]
    events += [(person_id, "BeneficiaryUpdated") for person_id in updated]
    await publishing.publish_people(tx, keyring, events, business_date)
    for kind, entitlement_ids in done.items():
        await publishing.publish_entitlements(tx, entitlement_ids, business_date, decision_effects.EVENTS[kind])
    await dues.recompute(tx, people, business_date)


async def seen(tx: Tx, decision_id: UUID) -> Any:
    """One decision about a person in the caller's area; else 404."""
    actor, _ = needs(tx)
    row = await storage.find(tx, decision_id)
    if row is None or not actor.sees(row["person_path"]):
        raise NotFound("No such decision")
    return row
