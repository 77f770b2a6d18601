"""The bill of materials: made from the committed lock, every component with its licence, stale when the lock has moved on."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from ansinh.bootstrap import LOCK, ROOT
from ansinh.sbom import SBOM, problems_of_sbom, write_sbom

#: Licences that a public body may use and hand on without more; anything else wants somebody to look before it is added here.
KNOWN = {
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "LGPL-3.0-only", "Unlicense", "Zlib", "0BSD",
    "CC0-1.0", "PostgreSQL", "LGPL-2.1-or-later", "Python-2.0",
}  # fmt: skip


def test_the_bill_is_that_of_the_lock_and_names_no_index() -> None:
    assert problems_of_sbom() == []


def test_it_is_cyclonedx_with_every_pin_once() -> None:
    made = json.loads((ROOT / SBOM).read_text(encoding="utf-8"))
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / LOCK).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert sorted((item["name"], item["version"]) for item in made["components"]) == sorted(pins)
    assert len({item["bom-ref"] for item in made["components"]}) == len(pins)
    assert all(item["hashes"] for item in made["components"])


def test_what_the_services_images_hold_has_a_known_licence() -> None:
    made = json.loads((ROOT / SBOM).read_text(encoding="utf-8"))
    for item in made["components"]:
        said = " ".join(part.get("expression") or part["license"]["name"] for part in item["licenses"])
        parts = set(re.findall(r"[A-Za-z0-9.+-]+", said)) - {"AND", "OR"}
        assert parts <= KNOWN, f"{item['name']}: {said}"
        assert not (item["scope"] == "required" and "GPL" in said) or "LGPL" in said, item["name"]


def test_a_bill_of_another_lock_is_stale(tmp_path: Path) -> None:
    for name in (LOCK, SBOM, "deploy/requirements-services.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert problems_of_sbom(tmp_path) == []
    lock = tmp_path / LOCK
    lock.write_text(re.sub(r"^orjson==[^ ;\\]+", "orjson==99.0.0", lock.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    assert any("was not made from this" in problem for problem in problems_of_sbom(tmp_path))
    write_sbom(tmp_path)
    assert problems_of_sbom(tmp_path) == []
    written = (tmp_path / SBOM).read_bytes()
    write_sbom(tmp_path)
    assert (tmp_path / SBOM).read_bytes() == written, "the same lock gives the same bytes"
