"""`./ansinh sbom`: the software bill of materials (CycloneDX JSON) of what the committed lock pins, with licences.

Made from the lock alone; licences come from what is installed, and are kept for packages of other systems that are not installed here.
The same lock gives the same bytes: no time, no machine, no package index is named in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from ansinh.bootstrap import LOCK, ROOT

__all__ = ["SBOM", "bill", "problems_of_sbom", "write_sbom"]

SBOM: Final = "deploy/sbom.cdx.json"
_SERVICES: Final = "deploy/requirements-services.lock"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_EXPRESSION: Final = re.compile(r"\(?[A-Za-z0-9.+-]+\)?(?: (?:AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*")
#: What packages that came before licence expressions say, as SPDX says it.
_SPDX: Final = {
    "MIT License": "MIT", "MIT": "MIT", "Apache Software License": "Apache-2.0", "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0", "Apache-2.0": "Apache-2.0", "Apache License, Version 2.0": "Apache-2.0", "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause", "BSD-3-Clause": "BSD-3-Clause", "3-Clause BSD License": "BSD-3-Clause", "BSD-2-Clause": "BSD-2-Clause",
    "ISC License (ISCL)": "ISC", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "The Unlicense (Unlicense)": "Unlicense", "zlib/libpng License": "Zlib", "MIT No Attribution License (MIT-0)": "MIT-0",
}  # fmt: skip
#: Not said in a package's metadata, or not in these words, but in the licence files it brings; and packages for other systems.
_READ: Final = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",
    "pypdfium2": "(BSD-3-Clause OR Apache-2.0) AND BSD-3-Clause",
    "pywin32": "PSF-2.0",
}


def _licence_of(found: Distribution) -> str | None:
    about = found.metadata.json
    if expression := about.get("license_expression"):
        return str(expression)
    classed = [item.rsplit(" :: ", 1)[-1] for item in about.get("classifier", ()) if item.startswith("License :: ")]
    known = sorted({_SPDX[item] for item in classed if item in _SPDX})
    said = str(about.get("license", "")).strip().splitlines()
    if known and not (len(known) == 1 and said and said[0] in _SPDX):
        return " OR ".join(known)
    if said and len(said[0]) < 60:
        return _SPDX.get(said[0], said[0])
    return classed[0] if classed else None


def _licences(name: str, before: dict[str, Any]) -> list[dict[str, Any]]:
    told = _READ.get(name)
    try:
        told = told or _licence_of(distribution(name))
    except PackageNotFoundError:
        told = None
    if told is None:
        kept = before.get(name, {}).get("licenses", [])
        return list(kept)
    return [{"expression": told}] if _EXPRESSION.fullmatch(told) else [{"license": {"name": told}}]


def _pins(text: str) -> dict[str, tuple[str, list[str]]]:
    return {name: (version, sorted(_HASH.findall(rest))) for name, version, rest in _PIN.findall(text)}


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The bill: `scope` is required for what the services' images hold, optional for what only builds and tests need."""
    lock = (root / LOCK).read_text(encoding="utf-8")
    serves = _pins((root / _SERVICES).read_text(encoding="utf-8"))
    path = root / SBOM
    before = {item["name"]: item for item in json.loads(path.read_text(encoding="utf-8"))["components"]} if path.is_file() else {}
    digest = hashlib.sha256(lock.encode()).hexdigest()
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "scope": "required" if name in serves else "optional",
            "purl": f"pkg:pypi/{name}@{version}",
            "licenses": _licences(name, before),
            "hashes": [{"alg": "SHA-256", "content": content} for content in hashes],
        }
        for name, (version, hashes) in sorted(_pins(lock).items())
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_OID, digest).urn,
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "ansinh", "name": "ansinh"},
            "properties": [{"name": "ansinh:lock-sha256", "value": digest}],
        },
        "components": components,
    }


def write_sbom(root: Path = ROOT) -> str:
    """Write it; how many of which licence, as text."""
    made = bill(root)
    (root / SBOM).write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    counted: dict[str, int] = {}
    for item in made["components"]:
        counted[_said(item)] = counted.get(_said(item), 0) + 1
    lines = [f"{count:4} {name}" for name, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))]
    return "\n".join([f"{SBOM}: {len(made['components'])} components", *lines])


def _said(component: dict[str, Any]) -> str:
    for item in component["licenses"]:
        return str(item.get("expression") or item["license"]["name"])
    return "not said"


def problems_of_sbom(root: Path = ROOT) -> list[str]:
    """What is wrong with the committed bill: not made from this lock, a component without licence, an address in it."""
    path = root / SBOM
    if not path.is_file():
        return [f"{SBOM} is missing: run ./ansinh sbom"]
    text = path.read_text(encoding="utf-8")
    kept, made = json.loads(text), bill(root)
    found = []
    same = kept["metadata"] == made["metadata"] and [(c["purl"], c["scope"], c["hashes"]) for c in kept["components"]] == [
        (c["purl"], c["scope"], c["hashes"]) for c in made["components"]
    ]
    if not same:
        found.append(f"{SBOM} was not made from this {LOCK}: run ./ansinh sbom")
    if "://" in text:
        found.append(f"{SBOM} holds an address (://)")
    return found + [f"{component['name']} has no licence in {SBOM}" for component in kept["components"] if not component["licenses"]]
