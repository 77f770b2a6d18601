"""Whatever an office sends: never a 500, and every row of the file ends good or refused with a reason."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from registry_test_helpers import HEADERS, UNIT, row

from common.ids import new_id

STRANGE = [
    "=1+1", "+84", "@x", "NaN", "nan", "1E999", "Tổng cộng", "31/02/1950", "2-3-50", "18324", "060190000001", "60190000001", "3.80123E+11",
    "X" * 3000, "\x00", "\x0b", "\ufeff", "\u0301", "a\nb", "'; DROP TABLE person;--", "\uff46\uff55", "\U0001d7d9", "\u0663",
    "\U0001f600", "%s{0}", "\\", '"',
]  # fmt: skip
JUNK = st.one_of(
    st.text(max_size=30),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(STRANGE),
)
HEADS = [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xef\xbb\xbf"]
ROW = st.dictionaries(st.sampled_from(sorted(HEADERS)), JUNK, max_size=8)


def workbook(rows: list[dict[str, Any]], spoilt: dict[int, str]) -> bytes:
    """A list of rows; `spoilt` renames headers by their place."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}) as book:
        book.set_properties({"created": datetime(2024, 1, 1, tzinfo=UTC)})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["DANH SÁCH"])
        sheet.write_row(2, 0, [spoilt.get(index, header) for index, header in enumerate(HEADERS.values())])
        for index, item in enumerate(rows, start=3):
            for column, name in enumerate(HEADERS):
                if name in item:
                    sheet.write(index, column, item[name])
    return out.getvalue()


@pytest.mark.timeout(120)
async def test_every_row_ends_good_or_refused(world: Any) -> None:
    files: list[bytes] = []

    @seed(7)
    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ROW, min_size=1, max_size=12), st.dictionaries(st.integers(0, len(HEADERS) - 1), st.text(max_size=20), max_size=2))
    def collect(items: list[dict[str, Any]], spoilt: dict[int, str]) -> None:
        files.append(workbook([{**row(f"F-{len(files)}-{n}"), **item} for n, item in enumerate(items)], spoilt))

    collect()
    checked = 0
    for content in files:
        answer = await world.send(content)
        assert answer.status_code in (202, 422), answer.text
        if answer.status_code == 422:
            assert answer.json()["title_vi"]
            continue
        import_id = answer.json()["import_id"]
        await world.work()
        found = (await world.maker.get(f"/v1/imports/{import_id}")).json()
        job = (await world.maker.get(f"/v1/jobs/{found['job_id']}")).json()
        assert job["state"] == "DONE", job
        if found["state"] == "REFUSED":
            assert found["refusal"]
            continue
        checked += 1
        assert found["rows_total"] == found["rows_good"] + found["rows_refused"], found
        refused = await world.errors(import_id)
        assert len({number for number, _ in refused}) == found["rows_refused"]
        for kind in ("csv", "xlsx"):
            assert (await world.maker.get(f"/v1/imports/{import_id}/verdicts", params={"format": kind})).status_code == 200
        assert (await world.maker.get(f"/v1/imports/{import_id}/mapping")).status_code == 200
        assert (await world.checker.post(f"/v1/imports/{import_id}/approve")).status_code == 202
        await world.work()
        end = (await world.maker.get(f"/v1/imports/{import_id}")).json()
        assert (end["state"], end["rows_total"]) == ("APPLIED", end["rows_applied"] + end["rows_unchanged"] + end["rows_refused"]), end
    assert checked > 5


@pytest.mark.timeout(120)
async def test_any_bytes_are_answered_in_words(world: Any) -> None:
    bodies: list[tuple[bytes, str]] = []

    @seed(8)
    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300), st.sampled_from(HEADS), st.sampled_from(["a.xlsx", "a.xls", "a.csv", "060190000001.csv"]))
    def collect(content: bytes, head: bytes, name: str) -> None:
        bodies.append((head + content, name))

    collect()
    for content, name in bodies:
        answer = await world.maker.post(
            "/v1/imports",
            data={"programme": "SOCIAL_ASSISTANCE", "unit_code": UNIT, "business_date": "2024-08-20"},
            files={"file": (name, content)},
            headers={"Idempotency-Key": new_id().hex},
        )
        assert answer.status_code == 422, (content, answer.text)
        assert answer.json()["title_vi"]
