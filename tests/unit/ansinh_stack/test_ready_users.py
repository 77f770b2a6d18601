"""The development issuer's file: who is in it, and what a later start keeps."""

from __future__ import annotations

import json
from pathlib import Path

from ansinh.stack.layout import Layout
from ansinh.stack.secrets import Secrets


def test_units_somebody_changed_in_the_file_and_secrets_outlive_the_next_start(tmp_path: Path) -> None:
    layout = Layout(home=tmp_path, base=25_000)
    layout.prepare()
    path = Secrets(layout).issuer()
    first = json.loads(path.read_text(encoding="utf-8"))
    first["users"]["department.officer"]["units"] = first["clients"]["integrator"]["units"] = ["60", "68"]
    path.write_text(json.dumps(first), encoding="utf-8")
    second = json.loads(Secrets(layout).issuer().read_text(encoding="utf-8"))
    assert second["users"]["department.officer"]["units"] == second["clients"]["integrator"]["units"] == ["60", "68"]
    assert second["users"]["approver"]["units"] == ["60"]
    assert second["clients"] == first["clients"]


def test_whatever_needs_two_officers_of_one_role_can_be_tried(tmp_path: Path) -> None:
    layout = Layout(home=tmp_path, base=25_000)
    layout.prepare()
    users = json.loads(Secrets(layout).issuer().read_text(encoding="utf-8"))["users"].values()
    assert sum(user["roles"] == ["DEPARTMENT_OFFICER"] for user in users) == 2
    assert sum(user["roles"] == ["APPROVER"] for user in users) == 2
