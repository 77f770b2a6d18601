"""The verdict after a month that was ill-treated: what the partners booked, what the databases hold of events, people and audit rows."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import psycopg

from ansinh.chaos.hears import HEARS
from common.audit_chain import verify

__all__ = ["chains", "doubled", "lost_events", "not_audited", "sort_differences"]

#: Sealers are at work all the time: what was written at the end is sealed by then.
_SEALED_SECONDS: Final = 60.0

#: Differences (ansinh.demo.check) that say the three books are not one.
_BOOKS: Final = frozenset({"books", "ledger", "report", "close"})
#: Money that went twice.
_TWICE: Final = frozenset({"twice"})
#: Words of a partner that were not believed: what a lying partner must lead to.
_EXPECTED: Final = frozenset({"quarantine"})
#: A cycle with words in quarantine, and nothing else open, is rightly not closed: a person decides first.
_WAITS_FOR_A_PERSON: Final = re.compile(r"^close: .* cycle-not-closable: [^;]*; open_quarantine \d+$")
#: A list of which every row was refused has changed nothing.
_SOME: Final = "state = 'APPLIED' AND rows_applied > 0"
#: Per service: what must have an audit row, and has none.
_AUDITED: Final = {
    "registry": {
        "list received": "SELECT import_id::text FROM import_file i WHERE {missing}|import.receive|i.import_id::text",
        "list applied": f"SELECT import_id::text FROM import_file i WHERE {_SOME} AND {{missing}}|import.apply|i.import_id::text",
    },
    "accounts": {
        "list received": "SELECT import_id::text FROM import_file i WHERE {missing}|import.receive|i.import_id::text",
        "list applied": f"SELECT import_id::text FROM import_file i WHERE {_SOME} AND {{missing}}|import.apply|i.import_id::text",
    },
    "disbursement": {
        "list submitted": "SELECT cycle_id::text FROM payment_list l WHERE state IN ('SUBMITTED', 'APPROVED')"
        " AND {missing}|list.submit|l.cycle_id::text",
        "list approved": "SELECT cycle_id::text FROM payment_list l WHERE state = 'APPROVED' AND {missing}|list.approve|l.cycle_id::text",
        "batch sent": "SELECT batch_id::text FROM payment_batch b WHERE request IS NOT NULL AND {missing}|batch.send|b.batch_id::text",
        "notice received": "SELECT notice_id::text FROM partner_notice n WHERE {missing}|notice.receive|n.notice_id::text",
    },
}


def sort_differences(texts: Sequence[str]) -> dict[str, list[str]]:
    """Differences from the truth by what they mean: `books`, `twice`, `disbelieved`, and `people` (somebody's end is not explained)."""
    sorted_texts: dict[str, list[str]] = {"books": [], "twice": [], "disbelieved": [], "people": []}
    for text in texts:
        kind = text.partition(":")[0]
        if kind in _EXPECTED or _WAITS_FOR_A_PERSON.search(text):
            where = "disbelieved"
        else:
            where = "books" if kind in _BOOKS else "twice" if kind in _TWICE else "people"
        sorted_texts[where].append(text)
    return sorted_texts


def doubled(partner_url: str, disbursement: str) -> list[str]:
    """Who was paid twice for a month, by the partners' own books: references booked twice, and payees of several paid references."""
    with httpx.Client(base_url=partner_url, timeout=60, trust_env=False) as client:
        found = client.get("/control/doubles").raise_for_status().json()
        texts = [f"{kind}: {item['reference']}" for kind in ("references", "unbalanced") for item in found[kind]]
        paid, after = set[str](), 0
        while True:
            page = client.get("/control/books/payments", params={"after": after, "limit": 5_000}).raise_for_status().json()
            paid.update(row["reference"] for row in page["payments"] if row["state"] in ("SETTLED", "COLLECTED"))
            if page["next"] is None:
                break
            after = page["next"]
    with psycopg.connect(disbursement) as connection:
        known = {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT p.reference, p.beneficiary_id, p.programme, p.funding_source, c.month"
                " FROM payment p JOIN payment_cycle c USING (cycle_id)"
            )
        }
    times = Counter(known[reference] for reference in paid if reference in known)
    strangers = [f"paid and not ours: {reference}" for reference in paid if reference not in known]
    return texts + strangers + [f"paid {n} times: beneficiary {who[0]}, {who[1]}, {who[3]:%Y-%m}" for who, n in times.items() if n > 1]


def lost_events(dsns: Mapping[str, str]) -> list[str]:
    """Events that are in an outbox and not with a consumer that applies their kind, as :data:`HEARS` says. Parked ones too."""
    said: dict[Any, tuple[str, str]] = {}
    heard: dict[str, set[Any]] = {}
    waiting: list[str] = []
    for name, dsn in dsns.items():
        with psycopg.connect(dsn) as connection:
            said |= {row[0]: row[1:] for row in connection.execute("SELECT event_id, topic, type FROM outbox")}
            heard[name] = {row[0] for row in connection.execute("SELECT event_id FROM inbox WHERE consumer = %s", (name,))}
            counted = connection.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL),"
                " (SELECT count(*) FROM parked_event WHERE replayed_at IS NULL)"
            ).fetchone()
            assert counted is not None
            waiting += [f"{name}: {n} events {what}" for n, what in zip(counted, ("not published", "parked"), strict=True) if n]
    missing = Counter(
        (consumer, *kind) for consumer, ids in heard.items() for event, kind in said.items() if kind in HEARS[consumer] and event not in ids
    )
    return waiting + [f"{consumer} has not applied {n} of {topic} {kind}" for (consumer, topic, kind), n in sorted(missing.items())]


def chains(dsns: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    """Every audit log read against its chain, as `./ansinh audit verify` does, once its last row is sealed.

    Gives the rows by service, and what is wrong.
    """
    rows, wrong = {}, []
    until = time.monotonic() + _SEALED_SECONDS
    for name, dsn in dsns.items():
        while (verdict := verify(dsn, name)).waiting and time.monotonic() < until:
            time.sleep(0.5)
        rows[name] = verdict.rows
        wrong += [f"{name}: audit chain: {kind} {count}" for kind, count in verdict.counts.items()]
        wrong += [f"{name}: audit chain: {verdict.waiting} rows are not sealed"] if verdict.waiting else []
    if not all(rows[name] for name in _AUDITED):
        wrong.append(f"audit chain: empty where a month leaves rows: {rows}")
    return rows, wrong


def not_audited(dsns: Mapping[str, str]) -> list[str]:
    """Facts whose audit row is missing."""
    found = []
    for name, facts in _AUDITED.items():
        with psycopg.connect(dsns[name]) as connection:
            for what, text in facts.items():
                query, action, key = text.split("|")
                missing = f"NOT EXISTS (SELECT FROM audit_log a WHERE a.action = '{action}' AND a.object_id = {key})"
                found += [f"{name}: {what} {row[0]}" for row in connection.execute(query.format(missing=missing))]
    return found
