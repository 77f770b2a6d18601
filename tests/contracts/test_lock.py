"""The locks: compiled from these pyproject files, hashed, and without any address."""

from __future__ import annotations

import subprocess

from ansinh.bootstrap import MEMBERS, ROOT
from ansinh.lock import problems_of_lock


def test_locks_match_the_pyproject_files_and_name_no_index() -> None:
    assert problems_of_lock() == []


def test_members_are_the_workspace_s_members() -> None:
    import tomllib

    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"]["members"]
    assert sorted(workspace) == sorted(MEMBERS)


def test_no_lock_with_download_addresses_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True).stdout.split()
    assert "uv.lock" not in listed
