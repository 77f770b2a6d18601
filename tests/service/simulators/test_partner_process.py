"""The partner as a process: killed in the middle it keeps its books and sends what it had not sent; SIGTERM ends it well."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from simulators.webhooks import sign

OUTBOUND = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
INBOUND = "whsec_" + "aW5ib3VuZCBzZWNyZXQgb2YgdGhlIHRlc3RzISE="


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(happened: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        pause.wait(0.02)


class Platform:
    """A listening platform that says 503 until it is opened, and remembers every attempt."""

    def __init__(self) -> None:
        self.open = False
        self.attempts: list[tuple[str, bytes]] = []
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                platform.attempts.append((self.headers["webhook-id"], body))
                self.send_response(202 if platform.open else 503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Partner:
    def __init__(self, folder: Path, platform: Platform) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.file = folder / "partners.json"
        self.file.write_text(
            json.dumps(
                {
                    "port": int(self.url.rpartition(":")[2]),
                    "callback_url": platform.url,
                    "retry_first_seconds": 0.05,
                    "retry_most_seconds": 0.1,
                    "partners": {"agribank": {"kind": "BANK", "outbound_secret": OUTBOUND, "inbound_secrets": [INBOUND]}},
                }
            )
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "simulators.partner", "--config", str(self.file)])
        until(self._alive, "partner answers")

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None
        try:
            return httpx.get(f"{self.url}/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        os.kill(self.process.pid, how)
        return self.process.wait(timeout=60)

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/control/books", timeout=60).json()
        return found

    def send(self, name: str, count: int) -> httpx.Response:
        body = orjson.dumps(
            {
                "batch_reference": name,
                "payments": [
                    {
                        "reference": f"{name}-{n}",
                        "amount": 500_000,
                        "currency": "VND",
                        "payee_name": "DANG THI HOA",
                        "text": "TRO CAP",
                        "account": {"provider_code": "AGRIBANK", "account_number": f"{n:09d}"},
                        "cash": None,
                    }
                    for n in range(count)
                ],
            }
        )
        stamp = int(time.time())
        headers = {"webhook-id": name, "webhook-timestamp": str(stamp), "webhook-signature": sign(OUTBOUND, name, stamp, body)}
        return httpx.post(f"{self.url}/agribank/v1/batches", content=body, headers=headers, timeout=60)


@pytest.fixture
def partner(tmp_path: Path, platform: Platform) -> Iterator[Partner]:
    made = Partner(tmp_path, platform)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(timeout=60)


def test_killed_it_keeps_its_books_and_sends_again_under_the_same_id(partner: Partner, platform: Platform) -> None:
    partner.start()
    assert partner.send("b1", 300).json()["accepted"] == 300
    until(lambda: len(platform.attempts) >= 2, "two attempts of the notice")
    tried = {webhook_id for webhook_id, _ in platform.attempts}
    assert partner.end(signal.SIGKILL) == -signal.SIGKILL
    platform.open = True
    partner.start()
    assert partner.send("b1", 300).json()["accepted"] == 300
    until(lambda: partner.books()["quiet"], "everything told")
    books = partner.books()
    assert (books["booked_amount"], books["partners"]["agribank"]["SETTLED"]["count"]) == (150_000_000, 300)
    assert {webhook_id for webhook_id, _ in platform.attempts} == tried
    doubles = httpx.get(f"{partner.url}/control/doubles").json()
    assert (doubles["references"], doubles["unbalanced"], doubles["entries"]) == ([], [], 300)
    assert partner.end(signal.SIGTERM) == 0


def test_killed_between_accepting_and_settling_it_settles_once(partner: Partner, platform: Platform) -> None:
    platform.open = True
    partner.start()
    httpx.post(f"{partner.url}/control/script", json={"partner": "agribank", "behaviour": "late_settlement", "seconds": 1.5})
    assert partner.send("b1", 50).status_code == 202
    partner.end(signal.SIGKILL)
    partner.start()
    until(lambda: partner.books()["quiet"], "everything told")
    assert partner.books()["booked_amount"] == 25_000_000
    notices = dict(platform.attempts)  # killed between sending one and noting that, it sends the same one again
    results = [row["reference"] for body in notices.values() for row in orjson.loads(body)["results"]]
    assert sorted(results) == sorted({*results})
    assert len(results) == 50


def test_a_taken_port_and_a_bad_config_are_said_in_one_line(partner: Partner, tmp_path: Path) -> None:
    partner.start()
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"callback_url": "http://x", "partners": {"a": {"kind": "BANK", "outbound_secret": "whsec_c2hvcnQ="}}}))
    missing = tmp_path / "missing.json"
    for config, code, said in ((partner.file, 1, "cannot listen"), (bad, 2, "partners.a.outbound_secret"), (missing, 2, "cannot read")):
        found = subprocess.run(
            [sys.executable, "-m", "simulators.partner", "--config", str(config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert found.returncode == code
        assert said in found.stderr
        assert "Traceback" not in found.stderr
        assert "whsec" not in found.stderr
