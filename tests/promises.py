"""The promises of the design, and the page that lists each with the tests that prove it, made from the tests' own marks.

`python tests/promises.py` writes `docs/operate/guarantees.md` anew (the section "Long run" is kept); `tests/docs/test_guarantees.py` fails
when the page is not what the tests say, or when nothing proves a promise.

A test says what it proves by `@pytest.mark.promise("name")`, on itself, on its class, or for its whole file in `pytestmark`. Tests that
prove a promise without the mark, in files that are about nothing else, are named in :data:`ALSO`.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["ALSO", "PAGE", "PROMISES", "page", "proofs"]

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "operate" / "guarantees.md"
KEPT: Final = "## Long run"

PROMISES: Final[dict[str, dict[str, str]]] = {
    "Promises": {
        "promises.paid-once": "Nobody is paid twice for the same benefit and month.",
        "promises.nobody-left-out": "Nobody owed is silently left out: everybody ends paid, failed, held or uncollected, with a reason.",
        "promises.nothing-accepted-is-lost": "No accepted request, event or notice is lost.",
        "promises.every-dong": "Every đồng is accounted for: the partners' books, the ledger and the reports are equal.",
        "promises.who-did-it": "Every change names who did it, and the record of it cannot be changed unseen.",
        "promises.cash": "Cash stays a first-class choice: without a usable account people are paid in cash.",
    },
    "Rules that keep money safe": {
        "rules.1": "State, outbox, inbox, audit and idempotency rows commit in one transaction, before the answer.",
        "rules.2": "No call to the outside inside a transaction: claim, call, record; a dead worker's work is taken over.",
        "rules.3": "Every committed event is published, in order per key, by one relay per partition at a time.",
        "rules.4": "Events are applied once, higher versions only; a poison event is parked with its followers, and its person held.",
        "rules.5": "References are deterministic, bytes are stored before they are sent; no answer means UNKNOWN, and is inquired.",
        "rules.6": "A partner's word is believed only if reference, amount and currency are ours; the rest is set aside for a person.",
        "rules.7": "Money is an integer number of đồng; the ledger is double-entry and append-only.",
        "rules.8": "Allocations guard money in the schema: paid + committed never exceeds what is due.",
        "rules.9": "State machines are tables; every other move is refused.",
        "rules.10": "Maker is never checker: lists, bank details, manual results, resuming, replay.",
        "rules.11": "Numbers are encrypted at rest and masked; full reads state a purpose and are audited; health facts go nowhere.",
        "rules.12": "Errors are catalogued problems that name field and row.",
        "rules.13": "After a restore nothing is sent until events, inquiries and statements are read back and two people resume.",
    },
    "Dues, lists, payments": {
        "heart.dues": "Dues follow from decisions and dated law, a missing rate is shown and never guessed.",
        "heart.cut-off": "A list is computed only when everything before its cut-off has arrived, and can be made again to the same hash.",
        "heart.gate": "Paid lines and held lines are everybody with something due; only a definite negative holds.",
        "heart.cycle": "After submission a list only shrinks; what is approved is what was hashed.",
        "heart.webhooks": "Notices are verified on their raw bytes, stored before they are answered, and applied once.",
        "heart.reconciliation": "Statements show every difference and nothing else.",
        "heart.quiet": "When everything is quiet, reporting equals the ledger equals the partners' books.",
    },
    "Running it": {
        "running.killed": "Any process may die at any moment, the database may restart, the broker may lose its log.",
        "running.graceful": "A process told to end answers whoever it has let in, and leaves nothing half sent.",
        "running.upgrades": "Migrations give way to the service, go down and up with a paid month there; the release before serves on.",
        "running.rights": "Every route is refused to every role that may not use it; another unit's object is not there.",
        "running.hostile-input": "Whatever is sent, the answer is one of the document's, and no answer shows an internal.",
        "running.keys": "Keys are changed while the services serve: everything is sealed again, and the old key opens nothing.",
        "running.erasure": "What is erased is gone from backups too: the keys of that day are destroyed, and the answer says when.",
        "running.one-trace": "One payment is one trace from the approval over the partner to the report, and leads to those of registry,"
        " verification and accounts; no span holds anything of people.",
        "running.overload": "What is too much is told to come back; no slow partner and no flood of forged notices holds up the others.",
        "running.invariants": "What must always hold is asked every few minutes; a breach is named by its id, and has alert and runbook.",
        "running.apache-kafka": "All this holds on Apache Kafka as on the embedded broker.",
    },
    "Trust": {
        "trust.tokens": "A token counts if the named issuer gave it, for us, now, by a listed algorithm; keys rotate while we serve.",
        "trust.systems": "Another agency's system does what two people registered, within its quota, and what it reads is written down.",
        "trust.partners": "A partner speaks for itself only.",
        "trust.canary": "No number, account, health fact or secret is in a log, trace, metric, event, answer, list or dump without need.",
        "trust.personal-data": "A person is told all that is held of them; two people erase what no law keeps, and the ledger stays whole.",
        "trust.retention": "What has reached its term is deleted by setting, and what is about people is audited.",
        "trust.audited": "Every change has its audit row; `./ansinh audit verify` finds a row changed, removed, inserted or reordered.",
        "trust.limits": "Body, header, page, rate and time have limits, the same around all five services.",
        "trust.outside": "What is outside is called by one client: with time limits, no redirects, and no address that was not named.",
        "trust.secrets": "A production process does not start with a weak, missing or default secret.",
        "trust.images": "Images run as nobody special on a read-only file system, and their parts are listed.",
        "trust.files": "No file eats the machine or runs anything: entities, bombs and formulas are refused or made harmless.",
    },
}

#: Files whose every test proves a promise, or single tests of theirs (`file::test`).
ALSO: Final[dict[str, tuple[str, ...]]] = {
    "tests/service/disbursement/payments/test_peer_faults.py": ("promises.paid-once", "rules.6"),
    "tests/service/disbursement/payments/test_payment_faults.py": ("promises.paid-once", "rules.5"),
    "tests/service/disbursement/payments/test_partner_scripts.py": ("promises.paid-once", "rules.5", "rules.6"),
    "tests/service/disbursement/payments/test_payment_model.py": ("promises.paid-once", "promises.every-dong", "rules.8"),
    "tests/service/disbursement/payments/test_payment_set_aside.py": ("promises.nothing-accepted-is-lost", "rules.2"),
    "tests/service/disbursement/payments/test_payment_notices.py": ("heart.webhooks",),
    "tests/service/disbursement/payments/test_ledger.py": ("promises.every-dong", "rules.7"),
    "tests/service/disbursement/payments/test_reconciliation.py": ("heart.reconciliation", "promises.every-dong"),
    "tests/service/disbursement/payments/test_cash.py": ("promises.cash",),
    "tests/service/disbursement/test_list_compute.py": ("heart.gate", "promises.nobody-left-out", "promises.cash"),
    "tests/service/disbursement/test_list_inputs.py": ("heart.cut-off",),
    "tests/service/disbursement/test_list_approval.py": ("heart.cycle", "rules.10"),
    "tests/service/disbursement/test_list_safety.py": ("rules.8",),
    "tests/service/disbursement/test_list_random.py": ("rules.8", "promises.nobody-left-out"),
    "tests/unit/disbursement/test_payment_states.py": ("rules.9",),
    "tests/messaging/test_bus.py": ("rules.3", "rules.4", "running.apache-kafka"),
    "tests/messaging/test_broker_trouble.py": ("promises.nothing-accepted-is-lost", "rules.3", "running.killed", "running.apache-kafka"),
    "tests/service/common/test_parking.py": ("rules.4",),
    "tests/service/common/test_audit_chain.py": ("promises.who-did-it", "trust.audited"),
    "tests/service/common/test_rekey.py": ("running.keys", "rules.11"),
    "tests/service/common/test_web.py": ("rules.1", "rules.12"),
    "tests/service/common/test_edge.py": ("running.hostile-input", "running.overload", "trust.limits"),
    "tests/service/registry/test_law_properties.py": ("heart.dues",),
    "tests/service/reporting/test_sums.py": ("heart.quiet",),
    "tests/contracts/test_migrations.py": ("running.upgrades",),
    "tests/contracts/test_openapi.py": ("rules.12",),
    "tests/resilience/month/test_every_process_dies.py": (
        "running.killed",
        "promises.nobody-left-out",
        "heart.quiet",
        "running.apache-kafka",
    ),
    "tests/resilience/month/test_failpoints.py": ("running.killed", "rules.2", "running.apache-kafka"),
    "tests/resilience/month/test_one_kind_dies_often.py": ("running.killed", "running.apache-kafka"),
    "tests/resilience/month/test_supervisor_dies.py": ("running.killed", "running.apache-kafka"),
    "tests/resilience/month/test_chaos.py": (
        "running.killed",
        "promises.paid-once",
        "promises.every-dong",
        "promises.nobody-left-out",
        "promises.nothing-accepted-is-lost",
        "trust.audited",
        "running.apache-kafka",
    ),
    "tests/resilience/test_graceful_stop.py": ("running.graceful",),
    "tests/security/test_matrix.py": ("running.rights",),
    "tests/security/test_fuzz.py": ("running.hostile-input",),
    "tests/e2e/canary/test_canary.py": ("rules.11", "trust.canary"),
    "tests/security/test_tokens.py": ("trust.tokens",),
    "tests/security/test_keycloak.py": ("trust.tokens",),
    "tests/security/test_clients.py": ("trust.systems",),
    "tests/security/test_clients.py::test_a_partner_speaks_for_itself_only": ("trust.partners",),
    "tests/contracts/test_personal_data.py": ("trust.personal-data",),
    "tests/service/registry/test_personal_data.py": ("trust.personal-data",),
    "tests/service/accounts/test_personal_data.py": ("trust.personal-data",),
    "tests/service/disbursement/payments/test_personal_data.py": ("trust.personal-data",),
    "tests/service/reporting/test_personal_data.py": ("trust.personal-data",),
    "tests/service/common/test_housekeeping.py": ("trust.retention",),
    "tests/contracts/test_audited.py": ("trust.audited", "promises.who-did-it"),
    "tests/contracts/test_edges.py": ("trust.limits",),
    "tests/contracts/test_edges.py::test_our_containers_are_read_only_and_may_do_nothing_special": ("trust.images",),
    "tests/contracts/test_edges.py::test_the_gateway_is_nobody_special_and_writes_nothing_but_memory": ("trust.images",),
    "tests/contracts/test_edges.py::test_our_images_end_as_a_user_without_a_name": ("trust.images",),
    "tests/contracts/test_openapi.py::test_every_page_has_an_end": ("trust.limits",),
    "tests/contracts/test_sbom.py": ("trust.images",),
    "tests/contracts/test_deploy.py": ("trust.images",),
    "tests/service/common/test_refusals.py": ("trust.secrets", "trust.outside"),
    "tests/unit/tools/test_house_rules.py::test_no_other_way_leads_outside": ("trust.outside",),
    "tests/unit/common/test_sheets.py": ("trust.files",),
    "tests/unit/common/test_lists_fuzz.py": ("trust.files",),
    "tests/unit/common/test_lists_reading.py::test_bombs_are_refused_before_they_open": ("trust.files",),
    "tests/unit/common/test_lists_reading.py::test_what_would_run_in_a_spreadsheet_is_written_as_text_and_read_back": ("trust.files",),
    "tests/e2e/trust/test_trust.py::test_hostile_files_are_refused_soon_and_leave_nothing": ("trust.files",),
    "tests/service/disbursement/payments/test_webhook_flood.py": ("running.overload",),
    "tests/service/disbursement/payments/test_lanes.py": ("running.overload",),
    "tests/contracts/test_invariants.py": ("running.invariants",),
    "tests/contracts/test_alerts.py": ("running.invariants",),
    "tests/service/disbursement/payments/test_invariants.py": ("running.invariants",),
    "tests/service/common/test_apache_kafka.py": ("running.apache-kafka",),
}


def _names(decorators: list[ast.expr]) -> Iterator[str]:
    """The names in `pytest.mark.promise(...)` among these expressions, lists of them included."""
    for expression in decorators:
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "promise":
                yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    """(promise, test) of one file."""
    where = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = [*ALSO.get(where, ())]
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == "pytestmark" for each in node.targets):
            whole += _names([node.value])
    if whole:
        yield from ((name, where) for name in whole)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = dict.fromkeys((*_names(node.decorator_list), *ALSO.get(f"{where}::{node.name}", ())))
            yield from ((name, f"{where}::{node.name}") for name in own if name not in whole)


def proofs() -> dict[str, list[str]]:
    """Which tests prove which promise, in order of the files."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, test in _of_file(path):
            found[name].append(test)
    return dict(found)


def page(before: str) -> str:
    """The page; its section "Long run" is taken from the page as it was."""
    found = proofs()
    parts = [
        "# Guarantees\n",
        "What the platform promises, and the tests that prove it. Made from the tests (`python tests/promises.py`); a promise without a",
        "test, or a page that is not what the tests say, fails the default tests. A file stands for all its tests. `./ansinh test --all`",
        "runs every one of them, the long ones included; figures of long runs are at the end.\n",
    ]
    for title, promises in PROMISES.items():
        parts.append(f"## {title}\n")
        for name, text in promises.items():
            parts.append(f"**{text}** <!-- {name} -->\n")
            parts += [f"- `{test}`" for test in found.get(name, [])]
            parts.append("")
    kept = before[before.index(KEPT) :] if KEPT in before else f"{KEPT}\n"
    return "\n".join(parts) + "\n" + kept


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
