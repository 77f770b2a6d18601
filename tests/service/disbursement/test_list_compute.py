"""Computing a list: payable months, take-over, the gate, cash instead of nothing, and the hash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from common.actor import Role
from common.contracts.disbursement_v1 import PaymentHeld
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import DuesLine, Programme
from common.ids import new_id
from common.jobs import JobRunner
from common.topics import partition_of
from disbursement.storage.cut_off import count_ours
from disbursement.usecases.compute_list import JOB_KIND, ListComputer

Due = Callable[..., Any]


async def test_months_before_take_over_are_paid_only_as_explicit_arrears(province: Any, due: Due) -> None:
    plain, arrears, later = new_id(), new_id(), new_id()
    await province.hear(
        *province.by_account(plain, due(500_000)),
        *province.by_account(arrears, due(500_000, "2024-07", arrears=True)),
        *province.by_account(later, due(500_000, "2024-10")),
    )
    cycle = await province.compute(await province.open())
    lines = await province.lines(cycle)
    assert lines[str(plain)]["months"] == ["2024-09"]
    assert (lines[str(arrears)]["amount"], lines[str(arrears)]["months"]) == (1_500_000, ["2024-07", "2024-08", "2024-09"])
    assert str(later) not in lines
    assert (cycle["lines"], cycle["held"], cycle["total_amount"]) == (2, 0, 2_000_000)


async def test_two_benefit_lines_are_one_payment(province: Any, due: Due) -> None:
    who = new_id()
    second = DuesLine(programme=Programme.SOCIAL_ASSISTANCE, funding_source="LOCAL_BUDGET", benefit_line="A02", intervals=[due(300_000)])
    other = DuesLine(programme=Programme.MERIT, funding_source="CENTRAL_BUDGET", benefit_line="M01", intervals=[due(900_000)])
    events = province.by_account(who, due(500_000))
    events[1] = province.dues(who, due(500_000), more=[second, other])
    await province.hear(*events)
    cycle = await province.compute(await province.open())
    assert (await province.lines(cycle))[str(who)]["amount"] == 800_000


GATE = [
    ("verified, account", Verdict.VERIFIED, "ACCOUNT", "ACTIVE", ("BANK", None)),
    ("account under review", Verdict.VERIFIED, "ACCOUNT", "NEEDS_REVIEW", ("CASH_POST", "ACCOUNT_SHARED_ACCOUNT")),
    ("no method", Verdict.VERIFIED, None, None, ("CASH_POST", "NO_ACCOUNT")),
    ("chose the post", Verdict.VERIFIED, "CASH_POST", None, ("CASH_POST", "PREFERENCE")),
    ("chose home", Verdict.VERIFIED, "CASH_HOME", None, ("CASH_HOME", "PREFERENCE")),
    ("to be looked at", Verdict.REVIEW, "ACCOUNT", "ACTIVE", ("CASH_POST", "IDENTITY_REVIEW")),
    ("not in the database", Verdict.NOT_FOUND, "ACCOUNT", "ACTIVE", ("CASH_POST", "NOT_IN_POPULATION_DB")),
    ("no number", Verdict.NO_ID, None, None, ("CASH_POST", "NO_ID")),
    ("somebody else's number", Verdict.SUSPECTED_IDENTITY, "ACCOUNT", "ACTIVE", "SUSPECTED_IDENTITY"),
    ("found dead", Verdict.DECEASED, "ACCOUNT", "ACTIVE", "DECEASED"),
    ("no answer", Verdict.UNANSWERED, "ACCOUNT", "ACTIVE", "NOT_VERIFIED"),
    ("never asked", None, "ACCOUNT", "ACTIVE", "NOT_VERIFIED"),
]  # fmt: skip


async def test_gate(province: Any, due: Due) -> None:
    people = {}
    for name, verdict, method, status, _ in GATE:
        who, account_id = new_id(), new_id()
        people[name] = str(who)
        events = [province.beneficiary(who), province.dues(who, due(360_000))]
        if verdict is not None:
            events.append(province.verified(who, verdict))
        if method is not None:
            events.append(province.method(who, method, account_id=account_id if method == "ACCOUNT" else None))
        if status is not None:
            events.append(province.account(who, account_id, status=status, reason=None if status == "ACTIVE" else "SHARED_ACCOUNT"))
        await province.hear(*events)
    cycle = await province.compute(await province.open())
    lines, holds = await province.lines(cycle), await province.holds(cycle)
    found = {
        name: (lines[who]["channel"], lines[who]["cash_reason"]) if who in lines else holds[who]["reason"] for name, who in people.items()
    }
    assert found == {name: expected for name, *_, expected in GATE}
    assert cycle["lines"] + cycle["held"] == len(GATE)
    assert holds[people["found dead"]]["actor"] == "COMMUNE_OFFICER"
    assert holds[people["found dead"]]["reason_vi"]
    officer = province.client_as(province.app, Role.COMMUNE_OFFICER)
    work = (await officer.get("/v1/work", params={"business_date": "2024-08-24"})).json()["items"]
    turn = sum(hold["actor"] == "COMMUNE_OFFICER" for hold in holds.values())
    assert turn > 0
    assert [(item["count"], item["page"]) for item in work if item["kind"] == "holds"] == [(turn, "/pages/people")]


async def test_representatives(province: Any, due: Due) -> None:
    good, bad, expired = new_id(), new_id(), new_id()
    for who, verdict, valid_to in (
        (good, Verdict.VERIFIED, None),
        (bad, Verdict.SUSPECTED_IDENTITY, None),
        (expired, Verdict.VERIFIED, date(2024, 8, 1)),
    ):
        rep, account_id = new_id(), new_id()
        await province.hear(
            province.beneficiary(who), province.dues(who, due(360_000)), province.verified(who),
            province.representative(who, rep, valid_to=valid_to), province.verified(who, verdict, subject=rep, fingerprint="r"),
            province.account(rep, account_id),
            province.method(who, "ACCOUNT", account_id=account_id, payee=rep, kind="AUTHORISED"),
        )  # fmt: skip
    lines = await province.lines(await province.compute(await province.open()))
    assert (lines[str(good)]["channel"], lines[str(good)]["payee_kind"], lines[str(good)]["payee_name"]) == (
        "BANK",
        "AUTHORISED",
        "Trần Thị B",
    )
    assert (lines[str(bad)]["channel"], lines[str(bad)]["payee_kind"], lines[str(bad)]["cash_reason"]) == (
        "CASH_POST", "SELF", "REPRESENTATIVE_NOT_VERIFIED",
    )  # fmt: skip
    assert lines[str(expired)]["cash_reason"] == "REPRESENTATIVE_NOT_VALID"


async def test_evidence_in_grace_missing_rates_and_other_identity_data(province: Any, due: Due) -> None:
    grace, old, late, rate, other = new_id(), new_id(), new_id(), new_id(), new_id()
    august = {"valid_until": date(2024, 8, 1)}
    await province.hear(
        *province.by_account(grace, due(1)), *province.by_account(old, due(1)), *province.by_account(rate, due(1, missing=True)),
        *province.by_account(other, due(1)), province.verified(grace, **august, grace_until=date(2024, 8, 31)),
        province.verified(old, **august), *province.by_account(late, due(1)),
        province.verified(late, **august, grace_until=date(2024, 8, 5)), province.beneficiary(other, fingerprint="changed"),
    )  # fmt: skip
    cycle = await province.compute(await province.open())
    lines, holds = await province.lines(cycle), await province.holds(cycle)
    assert lines[str(grace)]["evidence_note"] == "EVIDENCE_IN_GRACE"
    assert {name: holds[str(who)]["reason"] for name, who in (("old", old), ("late", late), ("rate", rate), ("other", other))} == {
        "old": "NOT_VERIFIED", "late": "NOT_VERIFIED", "rate": "RATE_MISSING", "other": "NOT_VERIFIED",
    }  # fmt: skip


async def test_parked_people_are_held_and_do_not_stop_the_others(province: Any, due: Due) -> None:
    parked, fine = new_id(), new_id()
    await province.hear(*province.by_account(parked, due(400_000)), *province.by_account(fine, due(400_000)))
    broken = province.verified(parked).model_copy(update={"checked_on": "not a date"})
    await province.hear(broken)
    cycle = await province.open(markers=False)
    await province.mark(cycle, versions=99)
    seen = await province.see(cycle)
    assert {item["topic"] for item in seen["inputs"]["parked"]} == {"identity-verify.verification.v1"}
    assert not seen["inputs"]["complete"]  # the other partitions' totals are wrong as well
    await province.rows("UPDATE cut_off_marker SET our_counts = their_counts RETURNING topic")
    cycle = await province.compute(cycle)
    assert list(await province.lines(cycle)) == [str(fine)]
    assert (await province.holds(cycle))[str(parked)]["reason"] == "DATA_PARKED"


async def test_recompute_gives_the_same_hash_and_drops_the_old_lines(province: Any, due: Due) -> None:
    people = [new_id() for _ in range(7)]
    for who in people:
        await province.hear(*province.by_account(who, due(500_000)))
    first = await province.compute(await province.open())
    second = await province.compute(first)
    assert second["list_hash"] == first["list_hash"]
    assert second["list_id"] != first["list_id"]
    assert [row["n"] for row in await province.rows("SELECT count(*) AS n FROM list_line UNION ALL SELECT count(*) FROM allocation")] == [
        7,
        7,
    ]
    check = (await province.maker.get(f"/v1/cycles/{first['cycle_id']}/verify-list")).json()
    assert check["agrees"]
    await province.rows("UPDATE list_line SET amount = amount + 1 WHERE beneficiary_id = :who RETURNING line_id", who=people[0])
    check = (await province.maker.get(f"/v1/cycles/{first['cycle_id']}/verify-list")).json()
    assert not check["agrees"]


async def test_units_without_take_over_are_refused(province: Any, due: Due) -> None:
    await province.rows("DELETE FROM take_over RETURNING take_over_id")
    await province.take_over("22927")
    who = new_id()
    await province.hear(*province.by_account(who, due(1)))
    cycle = await province.open()
    answer = await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/compute")
    await JobRunner(province.db, {JOB_KIND: ListComputer(province.db, province.settings).run}, owner="t").run_one()
    job = (await province.maker.get(f"/v1/jobs/{answer.json()['job_id']}")).json()
    assert (job["state"], "60/593/22924" in job["error"]) == ("FAILED", True)


async def test_hold_events_fit_the_contract(province: Any, due: Due) -> None:
    held, paid = new_id(), new_id()
    await province.hear(
        *province.by_account(held, due(400_000, "2024-08", arrears=True)), *province.by_account(paid, due(400_000)),
        province.verified(held, Verdict.DECEASED),
    )  # fmt: skip
    cycle = await province.compute(await province.open())
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200
    rows = await province.rows("SELECT body, key FROM outbox WHERE type = 'PaymentHeld'")
    assert len(rows) == 1
    event = PaymentHeld.model_validate_json(rows[0]["body"])
    assert (event.beneficiary_id, event.reason, event.amount, rows[0]["key"]) == (held, "DECEASED", 800_000, held)
    assert event.months == ["2024-08", "2024-09"]


async def test_people_whose_dues_are_parked_are_on_the_list_as_held(province: Any, due: Due) -> None:
    unknown, fine = new_id(), new_id()
    await province.hear(*province.by_account(fine, due(400_000)), province.beneficiary(unknown))
    await province.hear(province.dues(unknown, due(400_000).model_copy(update={"amount": "much"})))
    cycle = await province.compute(await province.open())
    assert (cycle["lines"], cycle["held"], cycle["held_amount"]) == (1, 1, 0)
    hold = (await province.holds(cycle))[str(unknown)]
    assert (hold["reason"], hold["amount"], hold["actor"]) == ("DATA_PARKED", 0, "OPERATOR")


async def test_a_copy_that_lags_by_more_than_is_parked_is_not_excused(province: Any, due: Due) -> None:
    who = new_id()
    await province.hear(*province.by_account(who, due(400_000)))
    await province.hear(province.method(who, "CASH_POST").model_copy(update={"payee_id": "nobody"}))
    cycle = await province.open(markers=False)
    async with province.db.read() as tx:
        mine = await count_ours(tx, "accounts.payout.v1", partition_of(who), date(2024, 9, 1), "SOCIAL_ASSISTANCE")
    await province.mark(cycle, methods=mine["methods"] + 1)
    inputs = (await province.see(cycle))["inputs"]
    assert partition_of(who) not in {item["partition"] for item in inputs["differing"]}
    cycle = (await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/cut-off")).json()
    await province.mark(cycle, methods=mine["methods"] + 2)
    inputs = (await province.see(cycle))["inputs"]
    assert partition_of(who) in {item["partition"] for item in inputs["differing"]}
