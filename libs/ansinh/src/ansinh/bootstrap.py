"""First steps on a fresh machine, in plain Python: virtual environment, locked dependencies, the workspace members.

Run by the `ansinh` launcher before anything is installed, so it imports the standard library only. What it has set up is
stamped with a digest of the lock and of all pyproject files; while that stands, it hands over to the CLI at once.
Every way it can fail ends in one clear line and an exit code that is not 0.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
MEMBERS = (
    "services/registry",
    "services/identity-verify",
    "services/accounts",
    "services/disbursement",
    "services/reporting",
    "libs/common",
    "libs/simulators",
    "libs/ansinh",
)
LOCK = "requirements.lock"
NEEDED_MIB = 900  # the environment with its download cache
EXIT_UNAVAILABLE = 69  # sysexits: EX_UNAVAILABLE


class SetupError(Exception):
    """Set-up cannot go on; the message says what is missing and what to do."""


def say(text: str) -> None:
    """A line for the person waiting (standard error: a verb's own output stays clean)."""
    print(f"ansinh: {text}", file=sys.stderr, flush=True)


def digest(root: Path) -> str:
    """What the set-up depends on: lock, pyproject files, Python version, place."""
    what = hashlib.sha256(f"{sys.version_info[:2]} {root}".encode())
    for name in (LOCK, "pyproject.toml", *(f"{member}/pyproject.toml" for member in MEMBERS)):
        what.update((root / name).read_bytes())
    return what.hexdigest()


def explain(output: str, doing: str) -> str:
    """One clear line out of an installer's output."""
    text = output.lower()
    if "no space left" in text or "disk quota" in text:
        return f"the disk is full (while {doing}); about {NEEDED_MIB} MiB are needed"
    if "hash" in text and ("mismatch" in text or "do not match" in text):
        return f"a downloaded package does not have the hash in {LOCK} (while {doing}): the index or mirror serves another file"
    if "permission denied" in text or "read-only file system" in text:
        return f"no right to write (while {doing})"
    offline = (
        "error sending request",
        "dns error",
        "failed to fetch",
        "could not find a version",
        "no matching distribution",
        "connection",
    )
    if any(sign in text for sign in offline):
        return (
            f"no package index answers (while {doing}); connect to the internet, or name your mirror as pip knows it "
            "(PIP_INDEX_URL, PIP_FIND_LINKS or pip.conf) and run again"
        )
    last = [line.strip() for line in output.splitlines() if line.strip()][-3:]
    return f"{doing} failed: {' | '.join(last) or 'no output'}"


def run(command: list[str], doing: str, env: dict[str, str] | None = None) -> str:
    """Run an installer, showing the seconds on a terminal; its output. Raises :class:`SetupError`."""
    started = time.monotonic()
    tick = sys.stderr.isatty()
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if tick:
                    print(f"\ransinh: {doing} … {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)
    if tick and time.monotonic() - started > 1:
        print("\r\033[K", end="", file=sys.stderr)
    if process.returncode != 0:
        raise SetupError(explain(output, doing))
    say(f"{doing}: {time.monotonic() - started:.1f} s")
    return output


def check_place(venv: Path) -> None:
    """Refuse early, in one line, what would fail late with many."""
    parent = venv if venv.exists() else venv.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        probe = parent / f".ansinh-probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        free = shutil.disk_usage(parent).free // 2**20
    except OSError as error:
        raise SetupError(
            f"cannot write to {parent} ({error.strerror}); copy the folder to where you may write, or set ANSINH_VENV"
        ) from error
    if not (venv / "ansinh.stamp").exists() and free < NEEDED_MIB:
        raise SetupError(f"the disk of {parent} has {free} MiB free; about {NEEDED_MIB} MiB are needed")


def make_venv(venv: Path) -> Path:
    """A virtual environment of this Python with pip in it (an unusable one is made again); its interpreter."""
    python = venv / "bin" / "python"
    if venv.exists():
        usable = subprocess.run(
            [str(python), "-I", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"],
            check=False, capture_output=True,
        ) if python.exists() else None  # fmt: skip
        if usable and usable.returncode == 0:
            return python
        shutil.rmtree(venv)
    base = getattr(sys, "_base_executable", None) or sys.executable
    for module in ("venv", "ensurepip"):
        if subprocess.run([base, "-I", "-c", f"import {module}"], check=False, capture_output=True).returncode:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetupError(f"this Python has no {module} module; on Debian or Ubuntu: apt-get install python{version}-venv")
    run([base, "-I", "-m", "venv", str(venv)], "making the virtual environment")
    return python


def locked_lines(name: str, lock: Path = ROOT / LOCK) -> str:
    """The lines of one package in the lock, hashes included. Raises :class:`SetupError` when it is not there."""
    found: list[str] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}==") or (found and line.startswith(" ")):
            found.append(line)
        elif found:
            break
    if not found:
        raise SetupError(f"{name} is not in {lock.name}")
    return "\n".join(found) + "\n"


def uv_environment(python: Path) -> dict[str, str]:
    """pip's configuration (index, mirror, certificates) said in uv's words, so that one set-up of a machine serves both."""
    env = dict(os.environ)
    shown = subprocess.run([str(python), "-I", "-m", "pip", "config", "list"], check=False, capture_output=True, text=True).stdout
    settings: dict[str, str] = {}
    for line in shown.splitlines():  # global first, environment last: the later one wins
        key, _, value = line.partition("=")
        settings[key.rpartition(".")[2].replace("_", "-")] = value.strip().strip("'\"")
    links = " ".join(link for link in settings.get("find-links", "").split() if "://" in link or Path(link).exists())
    for theirs, setting in (
        ("UV_DEFAULT_INDEX", settings.get("index-url")),
        ("UV_INDEX", settings.get("extra-index-url")),
        ("UV_FIND_LINKS", ",".join(links.split())),
        ("UV_INSECURE_HOST", settings.get("trusted-host")),
        ("SSL_CERT_FILE", settings.get("cert")),
        ("UV_NO_INDEX", "1" if settings.get("no-index") in ("1", "true", "yes") else None),
    ):
        if setting and theirs not in env:
            env[theirs] = setting
    home = Path(env.get("UV_CACHE_DIR") or env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    while not home.exists():
        home = home.parent
    if not os.access(home, os.W_OK):
        env["UV_CACHE_DIR"] = str(python.parents[1] / ".uv-cache")
    return env


def install(venv: Path, python: Path) -> None:
    """Locked dependencies by hash, then the members: with uv, or with pip where uv cannot run."""
    members = [argument for member in MEMBERS for argument in ("-e", str(ROOT / member))]
    lock = str(ROOT / LOCK)
    uv = venv / "bin" / "uv"
    wanted = locked_lines("uv")
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "--retries", "2"]
    try:
        if not uv.exists():
            only_uv = venv / "uv.lock.txt"
            only_uv.write_text(wanted, encoding="utf-8")
            run([*pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(only_uv)], "installing uv")
        env = uv_environment(python)
        uv_pip = [str(uv), "--no-config", "pip", "install", "--python", str(python)]
        run([*uv_pip, "--require-hashes", "--compile-bytecode", "-r", lock], "installing the locked packages", env)
        run([*uv_pip, "--no-deps", "--no-build-isolation", *members], "installing the workspace members", env)
    except (SetupError, OSError) as error:
        say(f"uv cannot do it ({error}); trying pip")
        run([*pip, "install", "--quiet", "--require-hashes", "-r", lock], "installing the locked packages with pip")
        run([*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", *members], "installing the workspace members with pip")


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two terminals may start at once on a fresh machine: the second waits for the first."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - not a POSIX system
        yield
        return
    with (ROOT / LOCK).open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up is running; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def set_up(venv: Path) -> None:
    """Bring the environment to what lock and pyproject files say. Raises :class:`SetupError`."""
    stamp = venv / "ansinh.stamp"
    with only_one():
        if is_ready(venv):
            return
        check_place(venv)
        started = time.monotonic()
        say(f"setting up in {venv} (once; later runs start at once)")
        stamp.unlink(missing_ok=True)
        python = make_venv(venv)
        install(venv, python)
        stamp.write_text(digest(ROOT), encoding="ascii")
        say(f"set up in {time.monotonic() - started:.0f} s")


def is_ready(venv: Path) -> bool:
    """Whether the environment is the one that lock and pyproject files describe."""
    try:
        return (venv / "ansinh.stamp").read_text(encoding="ascii") == digest(ROOT)
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    """Set up if needed, then become the CLI. Returns only on failure."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what finds out
        say("Python 3.11 or newer is needed")
        return EXIT_UNAVAILABLE
    venv = Path(os.environ.get("ANSINH_VENV") or ROOT / ".venv")
    try:
        if not is_ready(venv):
            set_up(venv)
        python = str(venv / "bin" / "python")
        os.execv(python, [python, "-P", "-m", "ansinh.cli", *arguments])
    except SetupError as error:
        say(str(error))
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except OSError as error:
        say(f"{error.strerror or error} ({error.filename or venv})")
    return EXIT_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
