"""Prints the month from the reporting API: the table the province publishes, channels, and who was not paid and why."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from ansinh.demo.check import Differences
from ansinh.demo.evidence import Evidence
from ansinh.sample import Manifest

__all__ = ["as_json", "print_report"]

_GROUPS = {"MERIT": "Người có công", "SOCIAL_ASSISTANCE": "Bảo trợ xã hội", "ALL": "Tổng"}
_ACTORS = {"COMMUNE_OFFICER": "Cán bộ xã", "COMMUNE_POLICE": "Công an xã", "DISTRICT_OFFICER": "Cán bộ huyện",
           "DEPARTMENT_OFFICER": "Cán bộ Sở", "APPROVER": "Người phê duyệt", "OPERATOR": "Vận hành hệ thống"}  # fmt: skip
_SHOWN = 30
_ACCOUNT_CHANNELS = ("BANK", "WALLET", "MOBILE_MONEY")


def print_report(console: Console, manifest: Manifest, evidence: Evidence, differences: Differences) -> None:
    """The whole report, ending with the verdict."""
    console.print(_coverage(manifest, evidence.coverage))
    console.print(_channels(evidence.channels))
    console.print(_outcomes(evidence.outcomes["rows"]))
    console.print(_partners(evidence))
    if not differences.texts:
        console.print("[bold green]Check against the truth: no difference.[/] Right amounts to the right people, nobody twice, "
                      "the partners' books equal ours to the đồng.")  # fmt: skip
        return
    console.print(f"[bold red]Check against the truth: {len(differences.texts):,} differences[/] "
                  + ", ".join(f"{k} {n:,}" for k, n in differences.kinds.most_common()))  # fmt: skip
    for text in differences.texts[:_SHOWN]:
        console.print(f"  {text}", highlight=False, markup=False)
    if len(differences.texts) > _SHOWN:
        console.print(f"  … and {len(differences.texts) - _SHOWN:,} more (all of them with --json)")


def _coverage(manifest: Manifest, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"Chi trả qua tài khoản / paid by account – {manifest.province_name}, {manifest.month}")
    table.add_column("Đơn vị / unit")
    for group in _GROUPS.values():
        table.add_column(f"{group}\nTK / tổng", justify="right", no_wrap=True)
        table.add_column("%", justify="right", no_wrap=True)
    table.add_column("Đồng\nqua TK", justify="right", no_wrap=True)
    table.add_column("Đồng\nđã chi", justify="right", no_wrap=True)
    by_unit: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_unit.setdefault(row["unit_path"], {})[row["programme"]] = row
    total_path = next((row["unit_path"] for row in rows if row["is_total"]), "")
    for path in [*sorted(p for p in by_unit if p != total_path), total_path]:
        of = by_unit.get(path, {})
        cells = [next(iter(of.values()), {}).get("unit_name") or path]
        for group in _GROUPS:
            found = of.get(group)
            cells += [f"{found['paid_by_account_people']:,} / {found['total_people']:,}", found["rate"]] if found else ["–", "–"]
        whole = of.get("ALL", {})
        cells += [f"{whole.get('amount_paid_by_account', 0):,}", f"{whole.get('amount_paid_total', 0):,}"]
        table.add_row(*cells, style="bold" if path == total_path else None, end_section=path != total_path and path == max(by_unit))
    return table


def _channels(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Kênh chi trả / channels")
    for head in ("Nhóm / group", "Kênh / channel"):
        table.add_column(head)
    for head in ("Người / people", "Đã nhận / paid", "Đồng đã chi / đồng paid"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda r: (r["programme"], r["channel"])):
        text = row["channel_text"]
        table.add_row(
            _GROUPS.get(row["programme"], row["programme"]), f"{text['vi']} / {text['en']}", f"{row['people']:,}",
            f"{row['paid_people']:,}",
            f"{row['paid_amount']:,}",
        )  # fmt: skip
    return table


def _outcomes(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Chưa chi được / not paid, and why")
    for head in ("Tình trạng / state", "Nhóm / group", "Lý do / reason", "Ai xử lý / who acts"):
        table.add_column(head)
    for head in ("Người / people", "Đồng"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda r: (r["state"], r["programme"], str(r["reason"]))):
        table.add_row(
            row["state_text"]["vi"], _GROUPS.get(row["programme"], row["programme"]),
            f"{row['reason_text']['vi']} / {row['reason_text']['en']}",
            _ACTORS.get(row["actor"], row["actor"]) if row["actor"] else "–", f"{row['people']:,}", f"{row['amount']:,}",
        )  # fmt: skip
    return table


def _partners(evidence: Evidence) -> Table:
    table = Table(title="Sổ của đơn vị chi trả và sổ của ta / partners' books and ours")
    for head in ("Đơn vị / partner", "Sổ đối tác, đồng", "Sổ của ta, đồng"):
        table.add_column(head, justify="left" if head.startswith("Đơn") else "right")
    for partner, ours in evidence.ours.items():
        states = evidence.book_totals["partners"].get(partner, {})
        theirs = sum(states.get(s, {}).get("amount", 0) for s in ("SETTLED", "COLLECTED"))
        table.add_row(partner, f"{theirs:,}", f"{ours['ledger_balance']:,}")
    return table


def as_json(
    manifest: Manifest, evidence: Evidence, differences: Differences, listed: int, seconds: float, stages: dict[str, float]
) -> dict[str, Any]:
    """The object for scripts (DESIGN §8), with the seconds of each stage beside it."""
    total = {row["programme"]: row for row in evidence.coverage if row["is_total"]}
    names = {"merit": "MERIT", "social_assistance": "SOCIAL_ASSISTANCE"}
    by_account = {name: total.get(key, {}).get("paid_by_account_people", 0) for name, key in names.items()}
    amounts = {
        "paid": total.get("ALL", {}).get("amount_paid_total", 0),
        "paid_by_account": total.get("ALL", {}).get("amount_paid_by_account", 0),
        "merit": total.get("MERIT", {}).get("amount_paid_total", 0),
        "social_assistance": total.get("SOCIAL_ASSISTANCE", {}).get("amount_paid_total", 0),
    }
    reasons: dict[str, dict[str, int]] = {"HELD": {}, "FAILED": {}, "UNCOLLECTED": {}}
    for row in evidence.outcomes["rows"]:
        if row["state"] in reasons:
            by_reason = reasons[row["state"]]
            by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + row["people"]
    return {
        "people": total.get("ALL", {}).get("total_people", 0), "listed": listed, "paid_by_account": by_account, "amounts": amounts,
        "held": reasons["HELD"], "failed": reasons["FAILED"], "uncollected": reasons["UNCOLLECTED"], "differences": differences.texts,
        "seconds": round(seconds, 1), "stages": stages, "preset": manifest.preset, "seed": manifest.seed, "month": manifest.month,
    }  # fmt: skip
