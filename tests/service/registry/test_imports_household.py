"""What lists say besides allowances: households with their heads, who collects and until when, how somebody wants to be paid."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from registry_test_helpers import HEADERS, UNIT, as_csv, row

from registry.usecases.representatives import Expirer

MORE = {"household_code": "Mã hộ", "household_head": "Chủ hộ", "household_relation": "Quan hệ với chủ hộ"}
REP = {"rep_name": "Trần Văn Bình", "rep_number": "060070000009", "rep_kind": "Ủy quyền", "rep_certificate": "3/UQ"}


def listed(rows: list[dict[str, str]]) -> bytes:
    """A list with the columns of households."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([*HEADERS.values(), *MORE.values()])
    writer.writerows([[item.get(name, "") for name in [*HEADERS, *MORE]] for item in rows])
    return ("\ufeff" + out.getvalue()).encode()


async def take(world: Any, content: bytes, **fields: Any) -> str:
    """Send, check, approve, apply; the import's id."""
    sent = await world.send(content, **fields)
    assert sent.status_code == 202, sent.text
    await world.work()
    import_id = str(sent.json()["import_id"])
    assert (await world.checker.post(f"/v1/imports/{import_id}/approve")).status_code == 202
    await world.work()
    return import_id


async def households(world: Any) -> dict[str, tuple[str | None, dict[str, str]]]:
    """Code → dossier of the head, dossier → relation of the members."""
    async with world.db.read() as tx:
        rows = await tx.rows(
            "SELECT h.code, q.file_code AS head, p.file_code, m.relation FROM household h LEFT JOIN person q ON q.person_id = h.head_id"
            " JOIN household_member m USING (household_id) JOIN person p ON p.person_id = m.person_id WHERE m.to_date IS NULL"
        )
    found: dict[str, tuple[str | None, dict[str, str]]] = {}
    for item in rows:
        found.setdefault(item["code"], (item["head"], {}))[1][item["file_code"]] = item["relation"]
    return found


async def warned(world: Any, import_id: str) -> list[tuple[str, str]]:
    """Dossier and code of each warning."""
    async with world.db.read() as tx:
        rows = await tx.rows(
            "SELECT r.file_code, w->>'code' AS code FROM import_row r, jsonb_array_elements(r.warnings) w WHERE r.import_id = :id"
            " ORDER BY 1, 2",
            id=import_id,
        )
    return [(item["file_code"], item["code"]) for item in rows if not item["code"].startswith("NUMBER_")]


async def test_households_are_made_joined_and_headed_by_lists(world: Any) -> None:
    people = [
        row("A-1", "060190000001", full_name="Trần Thị Hòa", household_code="H-1", household_relation="Chủ hộ"),
        row("A-2", "060190000002", full_name="Lê Văn Đức", household_code="H-1", household_head="TRẦN THỊ HOÀ", household_relation="Chồng"),
        row("A-3", "060190000003", full_name="Lý Thị Mai", household_code="H-2", household_head="x"),
        row("A-4", "060190000004", full_name="Lý Thị Lan", household_code="H-3", household_head="Lý Văn Tám"),
        row("A-5", "060190000005", full_name="Không Hộ"),
    ]
    first = await take(world, listed(people))
    assert await households(world) == {
        "H-1": ("A-1", {"A-1": "Chủ hộ", "A-2": "Chồng"}), "H-2": ("A-3", {"A-3": "Chủ hộ"}), "H-3": (None, {"A-4": "Thành viên"}),
    }  # fmt: skip
    assert await warned(world, first) == []
    # Somebody comes to a household that is known, and is its head; somebody of another household stays there.
    later = [
        row("A-6", "060190000006", full_name="Lý Văn Tám", household_code="H-3", household_relation="Chủ hộ"),
        row("A-3", "060190000003", full_name="Lý Thị Mai", household_code="H-1"),
    ]
    second = await take(world, listed(later))
    found = await households(world)
    assert found["H-3"] == ("A-6", {"A-4": "Thành viên", "A-6": "Chủ hộ"})
    assert found["H-2"] == ("A-3", {"A-3": "Chủ hộ"})
    assert await warned(world, second) == [("A-3", "HOUSEHOLD_NOT_LINKED")]
    states = await take(world, listed([*people[:2], row("A-7", "060190000007", full_name="Hai")]))
    async with world.db.read() as tx:
        verdicts = await tx.rows("SELECT file_code, verdict FROM import_row WHERE import_id = :id ORDER BY 1", id=states)
    assert [tuple(item.values()) for item in verdicts] == [("A-1", "UNCHANGED"), ("A-2", "UNCHANGED"), ("A-7", "APPLIED")]


async def test_a_poor_household_of_a_list_counts_for_the_dues(world: Any) -> None:
    await take(world, listed([row("A-1", "060190000001", household_code="H-1", household_head="x")]))
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO group_membership (household_id, group_code, from_date) SELECT household_id, 'POOR', '2024-08-01' FROM household"
        )
    await take(world, listed([row("A-2", "060190000002", household_code="H-1")]))
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM person_in_group WHERE group_code = 'POOR'") == 2


async def test_an_authorisation_of_a_list_ends_even_when_it_says_no_end_or_too_late(world: Any) -> None:
    import_id = await take(
        world,
        as_csv([
            row("A-1", "060190000001", **REP, rep_from="05/03/2024"),
            row("A-2", "060190000002", **REP, rep_from="05/03/2024", rep_to="06/03/2025"),
            row("A-3", "060190000003", **REP, rep_from="05/03/2024", rep_to="05/03/2025"),
            row("A-4", "060190000004", **(REP | {"rep_kind": "Giám hộ"})),
        ]),
    )  # fmt: skip
    async with world.db.read() as tx:
        ends = await tx.rows(
            "SELECT p.file_code, r.valid_to FROM representative r JOIN person p ON p.person_id = r.beneficiary_id ORDER BY 1"
        )
    assert [tuple(item.values()) for item in ends] == [*((f"A-{n}", date(2025, 3, 5)) for n in (1, 2, 3)), ("A-4", None)]
    assert await warned(world, import_id) == [("A-1", "REP_END_SET"), ("A-2", "REP_END_SET")]


@pytest.mark.parametrize("begins", ["01/02/2024", "01/09/2024"])
async def test_the_same_list_again_revives_nobody(world: Any, begins: str) -> None:
    rows = [row("A-1", "060190000001", **REP, rep_from=begins)]
    await take(world, as_csv(rows))
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE representative SET revoked_on = '2024-08-25', revoked_why = 'người hưởng yêu cầu', version = 2")
    again = await take(world, as_csv([*rows, row("A-2", "060190000002")]), business_date="2024-09-02")
    async with world.db.read() as tx:
        assert dict(await tx.row("SELECT revoked_on, revoked_why, version FROM representative")) == {
            "revoked_on": date(2024, 8, 25), "revoked_why": "người hưởng yêu cầu", "version": 2,
        }  # fmt: skip
    assert await warned(world, again) == [("A-1", "REP_END_SET"), ("A-1", "REP_REVOKED")]
    new_paper = row("A-1", "060190000001", **(REP | {"rep_certificate": "9/UQ"}), rep_from="15/09/2024", rep_to="15/09/2025")
    await take(world, as_csv([new_paper]), business_date="2024-09-16")
    async with world.db.read() as tx:
        assert dict(await tx.row("SELECT revoked_on, revoked_why, certificate_number, version FROM representative")) == {
            "revoked_on": None, "revoked_why": None, "certificate_number": "9/UQ", "version": 3,
        }  # fmt: skip


async def test_an_end_set_at_the_desk_outlives_the_list(world: Any) -> None:
    rows = [row("A-1", "060190000001", **REP, rep_from="05/03/2024")]
    await take(world, as_csv(rows))
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE representative SET valid_to = '2025-08-20', version = 2")
    await take(world, as_csv([*rows, row("A-2", "060190000002")]))
    async with world.db.read() as tx:
        assert dict(await tx.row("SELECT valid_to, version FROM representative")) == {"valid_to": date(2025, 8, 20), "version": 2}


async def test_an_answer_says_where_it_comes_from(world: Any) -> None:
    await take(world, as_csv([row("A-1", "060190000001")]))
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE preference SET preference = 'DECLINES', source = 'SURVEY', recorded_by = 'field', version = 2")
    await take(world, as_csv([row("A-1", "060190000001"), row("A-2", "060190000002")]))
    body = {
        "programme": "SOCIAL_ASSISTANCE", "unit_code": UNIT, "business_date": "2024-08-20", "file_code": "A-3", "full_name": "Lê Văn Ba",
        "preference": "DECLINES",
        "entitlements": [{"category": "SA6_S", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
    }  # fmt: skip
    assert (await world.register(body, "desk-000001")).status_code == 201
    async with world.db.read() as tx:
        rows = await tx.rows("SELECT file_code, preference, source, recorded_by FROM preference JOIN person USING (person_id) ORDER BY 1")
    assert [tuple(item.values()) for item in rows] == [
        ("A-1", "WANTS_ACCOUNT", "LIST", "maker"), ("A-2", "WANTS_ACCOUNT", "LIST", "maker"), ("A-3", "DECLINES", "OFFICE", "maker"),
    ]  # fmt: skip


async def test_the_worker_ends_what_is_past_on_the_day_the_register_lives_and_never_ahead_of_it(world: Any) -> None:
    expirer = Expirer(world.db)
    assert not await expirer.run_once(), "an empty register has no day"
    await take(world, as_csv([row("A-1", "060190000001", **REP, rep_from="20/01/2024", rep_to="31/08/2024")]))
    await expirer.run_once()
    assert not await world.events("RepresentativeRevoked"), "the register lives on 20 August 2024, whatever the calendar says"
    await take(world, as_csv([row("A-2", "060190000002")]), business_date="2024-09-02")
    await expirer.run_once()
    await expirer.run_once()
    (event,) = await world.events("RepresentativeRevoked")
    assert event["body"]["revoked_on"] == "2024-09-01"
    async with world.db.read() as tx:
        assert await tx.value("SELECT revoked_why FROM representative") == "EXPIRED"
