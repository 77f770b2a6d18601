"""The sample month's people against its truth file: every defect about people is found, and nothing else is."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from ansinh.sample.generate import write_sample
from ansinh.sample.truth import read_totals
from common.ids import stable_id
from common.tabular import parse_date_vi, read_rows
from identity_verify.population.online import PopulationOnline
from identity_verify.usecases.verify import Verifier
from registry.domain.columns import COLUMNS
from simulators.population.app import create_app
from simulators.population.config import PopulationConfig

NAMES = ("full_name", "birth_date", "sex", "number", "rep_name", "rep_birth", "rep_sex", "rep_number")
EXPECTED = {
    "NO_ID": "NO_ID", "NOT_IN_POPULATION_DB": "NOT_FOUND", "IDENTITY_REVIEW": "REVIEW", "SUSPECTED_IDENTITY": "SUSPECTED_IDENTITY",
    "DECEASED": "DECEASED",
}  # fmt: skip
SEX = {"Nam": "M", "Nữ": "F", "": "UNKNOWN"}
PEOPLE = 1_500
SEED = 11


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, people=PEOPLE, seed=SEED)
    return folder


@pytest.fixture
async def source(sample: Path, tmp_path: Path, keyring: Any) -> AsyncIterator[PopulationOnline]:
    """The population database with the sample's world behind it."""
    app = create_app(PopulationConfig(world=sample / "world.sqlite", state=tmp_path / "books.sqlite", token="a token of tests"))
    async with app.router.lifespan_context(app):
        adapter = PopulationOnline(
            keyring("identity-verify"), url="http://population", token="a token of tests", timeout_seconds=30, requests_per_second=1000,
            transport=httpx.ASGITransport(app),
        )  # fmt: skip
        yield adapter
        await adapter.close()


def truth(sample: Path) -> dict[str, tuple[str, str | None]]:
    """Outcome and reason by file code."""
    with gzip.open(sample / "truth-people.jsonl.gz", "rt", encoding="utf-8") as lines:
        people = [json.loads(line) for line in lines]
    return {person["code"]: (person["outcome"], person["reason"]) for person in people}


def registered(sample: Path) -> dict[str, dict[str, str]]:
    """The lists' rows as a register takes them: without those the truth file says are refused, broken or doubled."""
    refused = {(item["file"], item["row"]) for item in read_totals(sample)["refused"]}
    rows: dict[str, dict[str, str]] = {}
    for file in json.loads((sample / "manifest.json").read_text(encoding="utf-8"))["files"]:
        if file["kind"] == "ACCOUNTS":
            continue
        path = sample / file["path"]
        for row in read_rows(path.read_bytes(), path.name, COLUMNS).rows:
            if (file["path"], row.number) not in refused:
                rows[row.get("file_code")] = {name: row.get(name) for name in NAMES}
    return rows


async def test_every_defect_about_people_is_found_and_nothing_else_is(world, source, sample) -> None:
    print(f"seed {SEED}")
    known = truth(sample)
    rows = registered(sample)
    assert set(rows) == set(known)
    people, representatives, who = [], [], {}
    for code, row in rows.items():
        person = world.person(
            row["full_name"], row["number"] or None, beneficiary_id=stable_id("person", code), file_code=code, sex=SEX[row["sex"]],
            birth_date=parse_date_vi(row["birth_date"]), identity_fingerprint=stable_id(code).hex,
        )  # fmt: skip
        people.append(person)
        who[person.beneficiary_id] = code
        if row["rep_name"]:
            number = row["rep_number"].replace(" ", "") or None
            representative = world.representative(
                person.beneficiary_id, row["rep_name"], number, birth_date=parse_date_vi(row["rep_birth"]), sex=SEX[row["rep_sex"]],
                identity_fingerprint=stable_id(code, "rep").hex,
            )  # fmt: skip
            representatives.append(representative)
            who[representative.representative_id] = code
    await world.hear(people)
    await world.hear(representatives)
    verifier = Verifier(world.db, source, world.settings)
    while await verifier.run_once():
        pass
    verdicts: dict[UUID, str] = await world.verdicts()
    assert len(verdicts) == len(people) + len(representatives)
    own = {who[person.beneficiary_id]: verdicts[person.beneficiary_id] for person in people}
    wrong = {code: (verdict, known[code]) for code, verdict in own.items() if verdict != EXPECTED.get(known[code][1] or "", "VERIFIED")}
    assert wrong == {}
    found = {who[one.representative_id]: verdicts[one.representative_id] for one in representatives}
    refused = {code for code, verdict in found.items() if verdict in ("SUSPECTED_IDENTITY", "DECEASED")}
    assert refused == {code for code, (_, reason) in known.items() if reason == "REPRESENTATIVE_NOT_VERIFIED"}
    assert {verdict for code, verdict in found.items() if code not in refused} == {"VERIFIED"}
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM number_conflict") == 0
    assert set(own.values()) == {"VERIFIED", *EXPECTED.values()}, "every kind of defect was in the sample"
