"""Writes a whole sample month: communes in two processes, then the outside world, the truth and the manifest."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from ansinh.sample.commune import CommuneResult, CommuneTask, make_commune, write_one
from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE
from ansinh.sample.names import unaccented
from ansinh.sample.plan import CommunePlan, make_plan
from ansinh.sample.presets import DEFAULT_PRESET, Preset, find_preset, scaled
from ansinh.sample.rows import CODE, REGISTER_COLUMNS, UNIT, ListRow
from ansinh.sample.truth import PEOPLE_FILE, TRUTH_FILE
from ansinh.sample.units import Province, load_province

__all__ = ["DEFAULT_SEED", "Manifest", "read_manifest", "write_sample"]

Progress = Callable[[str, int, int], None]
DEFAULT_SEED = 2024
_MILLION = 1_000_000

_WORLD_DDL = """
CREATE TABLE person(number TEXT PRIMARY KEY, full_name TEXT NOT NULL, birth_date TEXT NOT NULL, sex TEXT NOT NULL, status TEXT NOT NULL,
                    death_date TEXT, multiple INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX person_deaths ON person(death_date, number) WHERE status = 'DECEASED';
CREATE TABLE account(partner TEXT NOT NULL, provider_code TEXT NOT NULL, account_number TEXT NOT NULL, holder_name TEXT NOT NULL,
                     holder_number TEXT, status TEXT NOT NULL, pay_behaviour TEXT NOT NULL,
                     PRIMARY KEY(provider_code, account_number)) WITHOUT ROWID;
CREATE TABLE cash(file_code TEXT PRIMARY KEY, behaviour TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Manifest:
    """What a sample folder holds; written as manifest.json. `files` are in the order in which offices send them, supplements last."""

    preset: str
    seed: int
    province_code: str
    province_name: str
    district_code: str | None
    month: str
    business_date: str
    people: int
    note: str
    files: list[dict[str, object]]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a sample folder. Raises `FileNotFoundError` when there is none."""
    return Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def write_sample(
    out: Path, preset: str | None = None, province: str | None = None, people: int | None = None, seed: int | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None, processes: int = 2,
) -> Manifest:  # fmt: skip
    """Writes a month's lists, world.sqlite and the truth below `out`; the same arguments write the same bytes of data.

    `preset` may be shortened to its place (binh-thuan, kien-giang, huong-khe). `progress` is told (stage, done, total).
    Raises `ValueError` for an unknown preset, province or size, and `OSError` when the disk does.
    """
    seed = DEFAULT_SEED if seed is None else seed
    chosen = scaled(find_preset(preset or DEFAULT_PRESET), province, people)
    tree = load_province(chosen.province)
    plans = make_plan(chosen, tree, seed)
    out.mkdir(parents=True, exist_ok=True)
    for old in ("manifest.json", TRUTH_FILE, PEOPLE_FILE, "world.sqlite"):
        (out / old).unlink(missing_ok=True)
    writer = _Writer(out, chosen, seed)
    try:
        for done, result in enumerate(_results(plans, chosen, tree, out, seed, processes), start=1):
            writer.take(result)
            progress("lists", done, len(plans))
        return writer.finish(tree)
    finally:
        writer.close()


def _tasks(plans: list[CommunePlan], preset: Preset, tree: Province, out: Path, seed: int) -> Iterator[CommuneTask]:
    initials = "".join(word[0] for word in unaccented(tree.short_name).split())
    width = _MILLION // len(plans)
    for i, plan in enumerate(plans):
        yield CommuneTask(plan, out, preset.province, initials, preset.month, preset.business_date, seed, (i * width, width),
                          preset.requests_exact)  # fmt: skip


def _results(plans: list[CommunePlan], preset: Preset, tree: Province, out: Path, seed: int, processes: int) -> Iterator[CommuneResult]:
    """Commune results in plan order; at most a few communes are in flight, so memory stays flat for any size."""
    tasks = _tasks(plans, preset, tree, out, seed)
    if processes < 2 or preset.people < 3_000:
        yield from map(make_commune, tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        flying: list[Future[CommuneResult]] = []
        for task in tasks:
            flying.append(pool.submit(make_commune, task))
            if len(flying) > 2 * processes:
                yield flying.pop(0).result()
        for future in flying:
            yield future.result()


class _Writer:
    """Gathers what communes return: the world, the truth, the supplements and the manifest."""

    def __init__(self, out: Path, preset: Preset, seed: int) -> None:
        self._out, self._preset, self._seed = out, preset, seed
        self._truth = (out / PEOPLE_FILE).open("wb")
        self._world = sqlite3.connect(out / "world.sqlite", isolation_level=None)
        self._world.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _WORLD_DDL + "BEGIN;")
        self._files: list[dict[str, object]] = []
        self._supplements: list[dict[str, object]] = []
        self._refused: list[dict[str, object]] = []
        self._totals: Counter[tuple[str, str, str]] = Counter()
        self._standing: Counter[tuple[str, str]] = Counter()
        self._travelling: dict[str, list[ListRow]] = {MERIT: [], SOCIAL_ASSISTANCE: []}

    def take(self, result: CommuneResult) -> None:
        """One commune; rows of people who are also on the list of the commune before go into this one's supplement."""
        for table in ("person", "account", "cash"):
            rows = getattr(result.world, table)
            if rows:
                marks = ",".join("?" * len(rows[0]))
                self._world.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        self._truth.write(result.truth)
        self._files += result.files
        self._refused += result.refused
        self._totals.update(result.totals)
        self._standing.update(result.standing)
        for programme in (MERIT, SOCIAL_ASSISTANCE):
            rows = list(result.supplement[programme])
            for n, row in enumerate(self._travelling[programme]):
                stem, _, number = result.next_code[programme].rpartition("-")
                row.cells[CODE], row.cells[UNIT] = f"{stem}-{int(number) + n:05d}", result.plan.commune.code
                rows.append(row)
            self._travelling[programme] = result.travelling[programme]
            if rows:
                write_one(self._out, result.plan, result.style, programme, REGISTER_COLUMNS, rows, self._preset.month,
                          self._supplements, self._refused, supplement=True)  # fmt: skip

    def finish(self, tree: Province) -> Manifest:
        """Writes totals and the manifest; the manifest comes last, so that a folder with one is whole."""
        self._world.execute("COMMIT")
        self._truth.close()
        manifest = Manifest(
            self._preset.name, self._seed, self._preset.province, tree.short_name, self._preset.district, self._preset.month,
            self._preset.business_date, self._preset.people, self._preset.note, self._files + self._supplements,
        )  # fmt: skip
        truth = {
            "preset": self._preset.name, "seed": self._seed, "month": self._preset.month, "business_date": self._preset.business_date,
            "people_file": PEOPLE_FILE, "districts": self._nested_totals(), "refused": self._refused,
            "standing": [{"programme": p, "code": code, "people": n} for (p, code), n in sorted(self._standing.items())],
        }  # fmt: skip
        (self._out / TRUTH_FILE).write_text(json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8")
        (self._out / "README.md").write_text(_readme(manifest), encoding="utf-8")
        (self._out / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
        return manifest

    def _nested_totals(self) -> dict[str, dict[str, dict[str, int]]]:
        nested: dict[str, dict[str, dict[str, int]]] = {}
        for (district, programme, key), n in sorted(self._totals.items()):
            nested.setdefault(district, {}).setdefault(programme, {})[key] = n
        return nested

    def close(self) -> None:
        """Closes the files; harmless after `finish`."""
        self._truth.close()
        self._world.close()


def _readme(m: Manifest) -> str:
    return f"""# Sample month: {m.province_name}, {m.month}

Synthetic people, structurally right, from seed {m.seed}; preset {m.preset}, {m.people:,} people on the lists,
business date {m.business_date}.

{m.note}

- `lists/<district>/<commune>/`: what the commune office sends (two lists of people, one registration for payment); `-bo-sung` are
  supplements with corrected rows, sent later.
- `world.sqlite`: what the population database, banks, wallets and the post hold: for the simulators.
- `truth.json`, `truth-people.jsonl.gz`: what must come out: for checking only. Duplicate rows, malformed rows and people who died
  before the month are on top of the {m.people:,}; held, failed and uncollected people are among them.
"""
