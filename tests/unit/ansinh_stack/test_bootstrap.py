"""The first steps on a fresh machine: every way to fail is one clear line, and a finished set-up is recognised."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansinh import bootstrap

LAUNCHER = bootstrap.ROOT / "ansinh"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("error: Failed to write: No space left on device (os error 28)", "the disk is full"),
        ("error: Failed to fetch: https://…\n Caused by: dns error", "no package index answers"),
        ("ERROR: Could not find a version that satisfies the requirement uv==0.0.0", "no package index answers"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "does not have the hash"),
        ("PermissionError: [Errno 13] Permission denied: '/opt/x'", "no right to write"),
        ("first\nsecond\nsomething odd", "something odd"),
    ],
)
def test_an_installer_s_trouble_becomes_one_clear_line(output: str, said: str) -> None:
    line = bootstrap.explain(output, "installing the locked packages")
    assert said in line
    assert "installing the locked packages" in line
    assert "\n" not in line


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(bootstrap.SetupError, match=r"cannot write to .*ANSINH_VENV"):
        bootstrap.check_place(tmp_path / "file" / "below" / ".venv")


def test_a_full_disk_is_said_before_anything_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "NEEDED_MIB", 10**9)
    with pytest.raises(bootstrap.SetupError, match="MiB free"):
        bootstrap.check_place(tmp_path / ".venv")


def test_ready_only_while_lock_and_pyproject_files_are_the_stamped_ones(tmp_path: Path) -> None:
    assert not bootstrap.is_ready(tmp_path)
    (tmp_path / "ansinh.stamp").write_text(bootstrap.digest(bootstrap.ROOT))
    assert bootstrap.is_ready(tmp_path)
    (tmp_path / "ansinh.stamp").write_text("of an older lock")
    assert not bootstrap.is_ready(tmp_path)


def test_uv_is_installed_from_the_lock_s_own_hashed_lines() -> None:
    lines = bootstrap.locked_lines("uv").splitlines()
    assert lines[0].startswith("uv==")
    assert len(lines) > 1
    assert all("--hash=sha256:" in line for line in lines[1:])
    with pytest.raises(bootstrap.SetupError, match="not in requirements"):
        bootstrap.locked_lines("no-such-package")


def test_a_setup_that_fails_leaves_no_stamp_and_exit_code_69(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    venv = tmp_path / ".venv"
    monkeypatch.setenv("ANSINH_VENV", str(venv))

    def refuse(*_: object) -> Path:
        raise bootstrap.SetupError("this Python has no venv module")

    monkeypatch.setattr(bootstrap, "make_venv", refuse)
    assert bootstrap.main(["up"]) == bootstrap.EXIT_UNAVAILABLE
    assert "no venv module" in capsys.readouterr().err
    assert not (venv / "ansinh.stamp").exists()


def test_pip_s_mirror_is_said_in_uv_s_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} /no/such/folder")
    env = bootstrap.uv_environment(Path(sys.executable))
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_FIND_LINKS"] == str(tmp_path)


def test_the_launcher_says_which_python_it_needs(tmp_path: Path) -> None:
    for name in ("sh", "dirname"):
        target = next(path for folder in ("/usr/bin", "/bin") if (path := Path(folder) / name).exists())
        (tmp_path / name).symlink_to(target)
    done = subprocess.run(
        ["sh", str(LAUNCHER)],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path), "ANSINH_VENV": str(tmp_path / "none")},
    )
    assert done.returncode == bootstrap.EXIT_UNAVAILABLE
    assert "Python 3.11 or newer is needed (found none)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_verb_lists_the_verbs() -> None:
    done = subprocess.run([sys.executable, "-P", "-m", "ansinh.cli"], check=False, capture_output=True, text=True)
    assert done.returncode == 0
    for verb in ("up", "down", "status", "logs", "demo", "test", "bench", "sample", "events"):
        assert f"\n    {verb} " in done.stdout
