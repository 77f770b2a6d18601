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


#: Parts of the one lock that go into images: file → pyproject files (or packages) it is the closure of.
_PARTS = {
    "deploy/requirements-services.lock": [member for member in MEMBERS if member.startswith("services/") or member == "libs/common"],
    "deploy/requirements-build.lock": ["hatchling", "editables"],
}


def compile_lock(root: Path = ROOT, *, upgrade: bool = False) -> str:
    """Compile the lock again, keeping pins that still fit; what changed, as text. Raises CalledProcessError with uv's words."""
    path = root / LOCK
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    _compile(root, LOCK, ["--group", "dev", "pyproject.toml", *(f"{member}/pyproject.toml" for member in MEMBERS)], upgrade=upgrade)
    for name, what in _PARTS.items():
        (root / name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")  # the pins to keep
        if what[0] in MEMBERS:
            _compile(root, name, [f"{member}/pyproject.toml" for member in what])
        else:
            _compile(root, name, ["-"], stdin="\n".join(what))
    old, new = _pins(before), _pins(path.read_text(encoding="utf-8"))
    changes = [f"{name} {old.get(name, '–')} → {new.get(name, '–')}" for name in sorted(old | new) if old.get(name) != new.get(name)]
    return "\n".join(changes) or "no pin changed"


def _compile(root: Path, name: str, sources: list[str], *, upgrade: bool = False, stdin: str | None = None) -> None:
    python = root / ".venv" / "bin" / "python"
    command = [str(python.with_name("uv")), "--no-config", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--python-version", "3.11", "--output-file", name, *sources]
    command += [part for member in _members(root) for part in ("--no-emit-package", member)]
    command += ["--upgrade"] if upgrade else []
    subprocess.run(command, cwd=root, check=True, env=uv_environment(python), input=stdin, text=True)
    path = root / name
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    path.write_text(f"{_HEADER}{_inputs(root)}\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def problems_of_lock(root: Path = ROOT) -> list[str]:
    """What is wrong with the committed lock: stale against the pyproject files, an address in it, a pin without hash."""
    found = []
    whole = (root / LOCK).read_text(encoding="utf-8")
    for name in (LOCK, *_PARTS):
        text = (root / name).read_text(encoding="utf-8")
        if f"{_HEADER}{_inputs(root)}" not in text:
            found.append(f"{name} was not compiled from these pyproject files: run ./ansinh lock")
        if "://" in text:
            found.append(f"{name} holds an address (://)")
        found += [
            f"{package} has no hash in {name}" for package in _pins(text) if "--hash=sha256:" not in locked_lines(package, root / name)
        ]
        found += [
            f"{name} pins {package} otherwise than {LOCK}" for package, pin in _pins(text).items() if _pins(whole).get(package) != pin
        ]
    return found
