"""Every defect of an account that the sample's truth knows is found, and nothing else is."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.providers.directory import load_directory
from accounts.providers.inquiry import NameInquiry, PartnerAddress
from accounts.usecases.check_accounts import AccountChecker
from accounts.usecases.payee_accounts import NewAccount, register
from ansinh.sample.generate import _tasks
from ansinh.sample.model import Person
from ansinh.sample.people import CommunePeople
from ansinh.sample.plan import make_plan
from ansinh.sample.presets import DEFAULT_PRESET, Outcome, find_preset, scaled
from ansinh.sample.truth import person_truth
from ansinh.sample.units import load_province
from common.actor import SYSTEM
from common.ids import stable_id
from simulators.partner.app import create_app
from simulators.partner.config import SimulatorConfig
from simulators.partner.runtime import Runtime
from simulators.world import WORLD_DDL

DAY = date(2024, 8, 20)
SECRET = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
PARTNERS = {
    "agribank": "BANK", "lpbank": "BANK", "namabank": "BANK", "viettelmoney": "MOBILE_MONEY", "vnptmoney": "MOBILE_MONEY", "momo": "WALLET",
}  # fmt: skip
STATUS = {
    "CLOSED": "CLOSED", "NOT_FOUND": "REJECTED", "NAME_DIFFERS": "REJECTED", "ID_DIFFERS": "REJECTED", "SHARED_ACCOUNT": "NEEDS_REVIEW",
    "NAME_REVIEW": "NEEDS_REVIEW", "DORMANT": "DORMANT", "NOT_UPGRADED": "NOT_UPGRADED",
}  # fmt: skip


def sample(people: int, seed: int) -> tuple[list[Person], list[tuple[Any, ...]]]:
    """Everybody of a small province who asks for an account, and the accounts that providers keep."""
    preset = scaled(find_preset(DEFAULT_PRESET), None, people)
    tree = load_province(preset.province)
    made, world = [], []
    for task in _tasks(make_plan(preset, tree, seed), preset, tree, Path(), seed):
        commune = CommunePeople(
            task.plan, province=task.province, initials=task.initials, business_date=task.business_date, seed=seed, serials=task.serials,
            exact_requests=task.exact_requests,
        ).build()  # fmt: skip
        made += [person for person in commune.people if person.method == "ACCOUNT"]
        world += commune.world.account
    return made, world


@pytest.fixture
async def checker(world: Any, keyring: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes a checker that asks simulators of all partners, which know these accounts."""
    opened: list[Any] = []

    def make(accounts: list[tuple[Any, ...]]) -> AccountChecker:
        path = tmp_path / "world.sqlite"
        with sqlite3.connect(path) as connection:
            connection.executescript(WORLD_DDL)
            connection.executemany("INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?)", accounts)
        partners = {name: {"kind": kind, "outbound_secret": SECRET, "inbound_secrets": [SECRET]} for name, kind in PARTNERS.items()}
        settings = {"callback_url": "http://p", "partners": partners, "books": tmp_path / "b.sqlite", "world": path}
        runtime = Runtime(SimulatorConfig.model_validate(settings))
        addresses = {name: PartnerAddress(f"http://p/{name}", SECRET) for name in PARTNERS}
        inquiry = NameInquiry(keyring("accounts"), addresses, timeout_seconds=30, transport=httpx.ASGITransport(create_app(runtime)))
        opened.extend((inquiry, runtime))
        return AccountChecker(world.db, inquiry, load_directory(), world.settings)

    yield make
    for item in opened:
        await item.close()


def payee(person: Person, own: dict[str, str]) -> Any:
    """Who collects: None is the person. A carer who is a beneficiary too is the same person (`own`: file code by national number)."""
    rep = person.representative
    if rep is None or not person.collected_by_representative:
        return None
    return stable_id("person", own.get(rep.number, rep.name))


async def test_every_defect_of_the_sample_is_found_and_nothing_else(world: Any, checker: Any) -> None:
    seed = 7
    people, accounts = sample(700, seed)
    assert len(people) > 180, f"seed {seed}"
    await world.hear([world.person(p.code, p.name.full, p.number or None) for p in people])
    own = {p.number: p.code for p in people}
    payees = {p.code: payee(p, own) for p in people}
    await world.hear(
        [
            world.representative(
                p.code, p.representative.name, p.representative.number, kind=p.representative.kind, representative_id=payees[p.code]
            )
            for p in people
            if payees[p.code] is not None
        ]
    )
    directory = load_directory()
    async with world.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE policy_setting SET value = '100000' WHERE code IN ('BULK_SECOND_PERSON', 'ALERT_BULK_CHANGES')")
        for p in people:
            assert p.account is not None
            new = NewAccount(
                p.account.provider.code, p.account.number, payees[p.code], "FORM", DAY, None, None, use_it=True, business_date=DAY
            )
            await register(tx, directory, stable_id("person", p.code), new)
    ask = checker(accounts)
    while await ask.run_once():
        pass
    async with world.db.read() as tx:
        rows = await tx.rows(
            "SELECT b.file_code, a.status, a.reason FROM payout_method m JOIN account a USING (account_id)"
            " JOIN beneficiary b USING (beneficiary_id)"
        )
        alerts = await tx.rows(
            "SELECT kind, b.file_code FROM alert JOIN alert_person USING (alert_id) JOIN beneficiary b USING (beneficiary_id)"
        )
    found = {row["file_code"]: (row["status"], row["reason"]) for row in rows if row["status"] != "ACTIVE"}
    expected = {}
    for p in people:
        reason = (person_truth(p, "593", "22924", "2024-09").reason or "") if p.outcome in Outcome.DEFECTS else ""
        if reason.startswith("ACCOUNT_"):
            expected[p.code] = (STATUS[reason.removeprefix("ACCOUNT_")], reason.removeprefix("ACCOUNT_"))
    assert {why for _, why in expected.values()} == set(STATUS), "every kind of defect is in the sample"
    assert found == expected, f"seed {seed}"
    assert len(rows) == len(people)
    shared = {p.code for p in people if p.outcome == Outcome.ACCOUNT_SHARED}
    assert {row["file_code"] for row in alerts} == shared
    assert {row["kind"] for row in alerts} == {"SHARED_ACCOUNT"}
