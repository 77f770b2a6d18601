"""One read model as one `INSERT … SELECT … ON CONFLICT` from the event log."""

from __future__ import annotations

from dataclasses import dataclass

from common.contracts.envelope import Event

__all__ = ["Projection", "columns"]


@dataclass(frozen=True)
class Projection:
    """One read model: which events carry it, its key, and its columns as (name, SQL type in the event's JSON, SQL expression)."""

    table: str
    events: tuple[type[Event], ...]
    key: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]

    @property
    def types(self) -> tuple[str, ...]:
        """Event type names that carry this model."""
        return tuple(event.type_name() for event in self.events)

    def sql(self, target: str) -> str:
        """The upsert into `target` from `event_log` between :low and :high."""
        names = [name for name, _, _ in self.columns]
        record = ", ".join(f'"{name}" {kind}' for name, kind, _ in self.columns)
        values = ", ".join(expression for _, _, expression in self.columns)
        key = ", ".join(self.key)
        made = {name: expression for name, _, expression in self.columns}
        order = ", ".join(made[part] for part in self.key)
        updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in self.key)
        return f"""
            INSERT INTO {target} AS t ({", ".join(names)})
            SELECT DISTINCT ON ({order}) {values}
            FROM event_log AS l CROSS JOIN LATERAL jsonb_to_record(l.body) AS r ({record})
            WHERE l.seq BETWEEN :low AND :high AND l.type = ANY(:types)
            ORDER BY {order}, r.version DESC
            ON CONFLICT ({key}) DO UPDATE SET {updates}
            WHERE excluded.version > t.version
        """


def columns(text: str) -> tuple[tuple[str, str, str], ...]:
    """Parse `name type [= expression]` separated by commas; the default expression is the column itself."""
    parsed = []
    for item in text.replace("\n", " ").split(","):
        head, _, expression = item.strip().partition(" = ")
        name, _, kind = head.strip().partition(" ")
        parsed.append((name, kind.strip(), expression.strip() or f"r.{name}"))
    return tuple(parsed)
