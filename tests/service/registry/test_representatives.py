"""Somebody who collects for others: what is corrected about that person reaches everybody who pays through them."""

from __future__ import annotations

from typing import Any

from registry_test_helpers import row

REP = "060190000003"


async def _two(world: Any) -> str:
    """A beneficiary whose representative is a beneficiary too; the representative's id."""
    await world.take([
        row("R-1", REP, full_name="Trần Thị Bình"),
        row("R-2", "060190000011", rep_name="Trần Thị Bình", rep_number=REP, rep_kind="Ủy quyền", rep_from="01/01/2024"),
    ])  # fmt: skip
    return str(await world.id_of("R-1"))


async def test_a_corrected_name_reaches_those_they_collect_for(world: Any) -> None:
    rep = await _two(world)
    (before,) = await world.events("RepresentativeAppointed")
    await world.change_identity(rep, full_name="Trần Thị Thanh Bình")
    events = await world.events("RepresentativeAppointed")
    assert len(events) == 2
    after = events[1]["body"]
    assert after["full_name"] == "Trần Thị Thanh Bình"
    assert after["version"] > before["body"]["version"]
    assert after["identity_fingerprint"] != before["body"]["identity_fingerprint"]
    async with world.db.read() as tx:
        told = await tx.value("SELECT detail FROM audit_log WHERE action = 'beneficiary.change' ORDER BY id DESC LIMIT 1")
    assert (told["before"]["full_name"], told["after"]["full_name"]) == ("T* T* B*", "T* T* T* B*")
    assert told["after"]["version"] == told["before"]["version"] + 1
    assert "Thanh" not in str(told)


async def test_somebody_known_as_a_representative_becomes_a_beneficiary_with_other_data(world: Any) -> None:
    await world.take([row("R-2", "060190000011", rep_name="Trần Thị Bình", rep_number=REP, rep_kind="Ủy quyền", rep_from="01/01/2024")])
    await world.take([row("R-1", REP, full_name="Trần Thị Thanh Bình")])
    after = (await world.events("RepresentativeAppointed"))[-1]["body"]
    assert after["full_name"] == "Trần Thị Thanh Bình"
