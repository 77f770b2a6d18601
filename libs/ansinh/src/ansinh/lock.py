"""`./ansinh lock`: compile the one lock from the workspace's pyproject files, and check that it still matches them.

The lock names packages, versions and hashes, and no package index: who installs decides where from. Its first line
carries a digest of every dependency list it was compiled from, so that CI finds a forgotten compile without a network.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tomllib
from pathlib import Path

from ansinh.bootstrap import LOCK, MEMBERS, ROOT, locked_lines, uv_environment

__all__ = ["compile_lock", "problems_of_lock"]

_HEADER = "# Compiled by `./ansinh lock` from the pyproject files; inputs sha256 "


def _inputs(root: Path) -> str:
    """Digest of all dependency lists of the workspace, independent of layout and comments."""
    lists: dict[str, object] = {}
    for name in ("pyproject.toml", *(f"{member}/pyproject.toml" for member in MEMBERS)):
        content = tomllib.loads((root / name).read_text(encoding="utf-8"))
        project = content["project"]
        lists[name] = [project.get("requires-python"), sorted(project.get("dependencies", [])), content.get("dependency-groups", {})]
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()


def _members(root: Path) -> list[str]:
    names = [tomllib.loads((root / member / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"] for member in MEMBERS]
    return ["ansinh", *names]


def compile_lock(root: Path = ROOT, *, upgrade: bool = False) -> str:
    """Compile the lock again, keeping pins that still fit; what changed, as text. Raises CalledProcessError with uv's words."""
    path = root / LOCK
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    python = root / ".venv" / "bin" / "python"
    uv = python.with_name("uv")
    command = [str(uv), "--no-config", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
    command += ["--python-version", "3.11", "--output-file", str(path), "--group", "dev", "pyproject.toml"]
    command += [f"{member}/pyproject.toml" for member in MEMBERS]
    command += [part for name in _members(root) for part in ("--no-emit-package", name)]
    command += ["--upgrade"] if upgrade else []
    subprocess.run(command, cwd=root, check=True, env=uv_environment(python))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    path.write_text(f"{_HEADER}{_inputs(root)}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    old, new = _pins(before), _pins(path.read_text(encoding="utf-8"))
    changes = [f"{name} {old.get(name, '–')} → {new.get(name, '–')}" for name in sorted(old | new) if old.get(name) != new.get(name)]
    return "\n".join(changes) or "no pin changed"


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def problems_of_lock(root: Path = ROOT) -> list[str]:
    """What is wrong with the committed lock: stale against the pyproject files, an address in it, a pin without hash."""
    text = (root / LOCK).read_text(encoding="utf-8")
    found = []
    if f"{_HEADER}{_inputs(root)}" not in text:
        found.append(f"{LOCK} was not compiled from these pyproject files: run ./ansinh lock")
    if "://" in text:
        found.append(f"{LOCK} holds an address (://)")
    found += [f"{name} has no hash in {LOCK}" for name in _pins(text) if root == ROOT and "--hash=sha256:" not in locked_lines(name)]
    return found
