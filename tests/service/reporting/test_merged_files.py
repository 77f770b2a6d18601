"""Two files of one person that were both paid and then merged: of a year the person is one, whatever is heard first, until it is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming, shuffled

from common.actor import SYSTEM
from common.contracts.disbursement_v1 import Channel, PaymentEvent
from common.contracts.envelope import Event
from common.contracts.registry_v1 import BeneficiaryRegistered, BeneficiaryStatus, BeneficiaryUpdated, Programme
from common.ids import stable_id
from common.jobs import Job, JobRunner
from reporting.domain.indicators import EACH_ONCE
from reporting.storage.statutory import layouts
from reporting.usecases import papers, rebuild
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask

HERE, THERE = "60/593/22924", "60/594/23235"
JANUARY = date(2024, 1, 1)


def paid(who: UUID, month: int, channel: Channel = Channel.BANK, path: str = HERE, programme: Programme = MERIT) -> list[Event]:
    """500,000 đồng of a month of 2024."""
    world = World()
    world.paid(path, programme, channel, [S.APPROVED, S.SETTLED], who=who)
    about, said = (who, programme, month), f"2024-{month:02}"
    change = {"month": said, "months": [said], "cycle_id": stable_id("cycle", said, programme), "payment_id": stable_id("payment", *about)}
    return [event.model_copy(update=change) for event in world.events if isinstance(event, PaymentEvent)]


class Files:
    """Files of the register, each told again with a higher version when it is merged, or is not any more."""

    def __init__(self, count: int) -> None:
        world = World()
        self.ids = [world.person(HERE, MERIT) for _ in range(count)]
        self.first: dict[UUID, BeneficiaryRegistered] = {one.beneficiary_id: one for one in world.events}  # type: ignore[attr-defined,misc]
        self.versions = dict.fromkeys(self.ids, 1)

    def told(self) -> list[Event]:
        return list(self.first.values())

    def merge(self, gone: UUID, into: UUID | None) -> Event:
        """`into` None: the merge was undone."""
        self.versions[gone] += 1
        status = BeneficiaryStatus.LEFT if into else BeneficiaryStatus.ACTIVE
        return BeneficiaryUpdated(**self.first[gone].model_dump() | {"version": self.versions[gone], "merged_into": into, "status": status})


async def year(reporting: Reporting, last: int = 12, group: str = "MERIT", unit_path: str = "60", **more: Any) -> dict[str, int]:
    """People and đồng of the year to a month, what is 0 left out."""
    asked = Ask(first=date(2024, last, 1), last=date(2024, last, 1), unit_path=unit_path, as_of=date(2024, 12, 31), **more)
    values = (await measure(reporting.db, SYSTEM("test"), asked)).row(group).values
    return {code.removesuffix("_year"): count for code, count in values.items() if code.endswith("_year") and count}


async def rebuilt(reporting: Reporting) -> None:
    """Made again from the log, the sums are the same."""
    before = await reporting.tables()

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(reporting.db, job)

    await rebuild.request_rebuild(reporting.db, SYSTEM("operator"), date(2024, 12, 1))
    assert await JobRunner(reporting.db, {rebuild.KIND: handler}, owner="test").run_one()
    assert await reporting.tables() == before


async def people_of(reporting: Reporting, **more: Any) -> dict[str, int]:
    return {code: count for code, count in (await year(reporting, **more)).items() if code.endswith("people")}


@pytest.mark.parametrize(("order", "batch"), [((0, 1), 100), ((1, 0), 3)], ids=["merge heard last", "merge heard first"])
async def test_a_merged_person_is_one_of_the_year(reporting: Reporting, order: Sequence[int], batch: int) -> None:
    files = Files(3)
    gone, stays, other = files.ids
    payments = [*paid(gone, 2), *paid(gone, 3), *paid(stays, 3, Channel.WALLET), *paid(stays, 4), *paid(other, 3)]
    parts = [[*files.told(), *payments], [files.merge(gone, stays)]]
    for number in order:
        await reporting.hear(incoming(parts[number]), batch=batch)
    everybody = {"paid_people": 2, "by_account_people": 2, "bank_people": 2, "wallet_people": 1}
    assert await people_of(reporting) == everybody
    assert await people_of(reporting, group=EACH_ONCE) == everybody
    assert (await year(reporting))["paid_dong"] == 5 * 500_000
    assert await people_of(reporting, last=2) == {"paid_people": 1, "by_account_people": 1, "bank_people": 1}
    assert await people_of(reporting, last=1) == {}
    march = Ask(first=date(2024, 3, 1), last=date(2024, 3, 1), unit_path="60", as_of=date(2024, 4, 1))
    assert (await measure(reporting.db, SYSTEM("test"), march)).row("MERIT").values["paid_people"] == 3, "as each file was paid"
    assert (await people_of(reporting, by_file=True))["paid_people"] == 3, "papers of before are made again as they were"
    await rebuilt(reporting)
    assert await people_of(reporting) == everybody


async def test_a_merge_that_was_undone_is_two_people_again(reporting: Reporting) -> None:
    files = Files(2)
    gone, stays = files.ids
    await reporting.hear(incoming([*files.told(), *paid(gone, 2), *paid(stays, 3)]))
    merged, undone = files.merge(gone, stays), files.merge(gone, None)
    await reporting.hear(incoming([merged]))
    assert (await people_of(reporting))["paid_people"] == 1
    await reporting.hear(incoming([undone]))
    assert (await people_of(reporting))["paid_people"] == 2
    await reporting.hear(incoming([merged]))  # heard once more
    assert (await people_of(reporting))["paid_people"] == 2
    await reporting.hear(incoming([files.merge(stays, gone), *paid(stays, 5)]))  # the other way round, and paid in the same breath
    assert (await people_of(reporting))["paid_people"] == 1
    await rebuilt(reporting)
    assert (await people_of(reporting))["paid_people"] == 1


async def test_files_merged_one_after_the_other_are_one_person_at_the_first_place(reporting: Reporting) -> None:
    files = Files(4)
    one, two, three, four = files.ids
    payments = [*paid(one, 6, path=THERE), *paid(two, 4), *paid(three, 2, path=THERE), *paid(three, 6)]
    payments += paid(four, 5, programme=ASSISTANCE)
    merges = [files.merge(one, two), files.merge(two, three), files.merge(four, three)]
    await reporting.hear(shuffled(incoming([*files.told(), *payments, *merges]), 7), batch=2)
    for group, there, here in (("MERIT", 1, 0), ("SOCIAL_ASSISTANCE", 0, 1), (EACH_ONCE, 1, 0), ("ALL", 1, 1)):
        for unit, told in ((THERE, there), (HERE, here), ("60", there + here)):
            assert (await people_of(reporting, group=group, unit_path=unit)).get("paid_people", 0) == told, (group, unit)
    whole = Ask(first=JANUARY, last=date(2024, 12, 1), unit_path="60", as_of=date(2024, 12, 31), below="COMMUNES")
    answer = await measure(reporting.db, SYSTEM("test"), whole)
    assert [answer.row("MERIT", path).values["paid_people_year"] for path in (HERE, THERE)] == [0, 1]
    await rebuilt(reporting)
    await reporting.hear(incoming([files.merge(two, None)]))  # one and two are a person, three and four another
    assert (await people_of(reporting))["paid_people"] == 2
    assert (await people_of(reporting, unit_path=HERE))["paid_people"] == 1


async def test_a_settlement_counts_a_merged_person_once_and_one_of_before_as_it_did(
    make_reporting: Callable[[], Reporting], monkeypatch: pytest.MonkeyPatch
) -> None:
    reporting = make_reporting()
    files = Files(2)
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    payments = [*paid(files.ids[0], 2), *paid(files.ids[1], 3)]
    await reporting.hear(incoming([*world.events, *files.told(), *payments, files.merge(*files.ids)]))
    found = {}
    for version in (2, 4, 5):
        layout = layouts()["merit-settlement-yearly", version]
        monkeypatch.setattr(papers, "layout_of", lambda _, chosen=layout: chosen)
        wanted = papers.wanted_of(SYSTEM("test"), layout.code, "2024-01", "60", None, date(2025, 3, 31))
        _, rows = await papers.preview(reporting.db, SYSTEM("test"), wanted)
        (key,) = [column.key for column in layout.columns if column.figure == "paid_people_year"]
        found[version] = next(row["cells"][key] for row in rows if row["is_total"])
    assert found == {2: 2, 4: 2, 5: 1}
