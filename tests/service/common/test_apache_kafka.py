"""A machine that cannot fetch Apache Kafka says why, and its tests are skipped; they do not fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from common import apache_kafka


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its programs; nothing has been fetched there yet."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr("shutil.which", lambda name: str(programs / name) if (programs / name).exists() else None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return programs


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    (folder / name).chmod(0o755)


def test_what_is_missing_is_named(machine: Path) -> None:
    assert apache_kafka.why_not.__wrapped__() == "mvn and java not found"
    program(machine, "mvn", "exit 0")
    assert apache_kafka.why_not.__wrapped__() == "java not found"


def test_without_a_network_maven_s_words_are_the_reason(machine: Path, tmp_path: Path) -> None:
    program(machine, "java", "exit 0")
    program(machine, "mvn", 'echo "[ERROR] "; echo "[ERROR] Unknown host repo.maven.apache.org"; exit 1')
    assert apache_kafka.why_not.__wrapped__() == "Maven cannot bring Apache Kafka: Unknown host repo.maven.apache.org"
    assert list((tmp_path / "cache" / "ansinh").iterdir()) == []
    program(machine, "mvn", "exit 0")
    assert apache_kafka.why_not.__wrapped__() is None
    assert apache_kafka.jars().is_dir()
