"""The main job in a process of its own: the supervisor stays free to look after its children, and Ctrl-C ends both.

Reads one JSON object from standard input: the addresses and ready users, the sample folder, where to write the result.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansinh.demo.stack_info import StackInfo

__all__ = ["main", "month"]


async def month(stack: StackInfo, sample: Path, result: Path) -> dict[str, Any]:
    """Run the month of a sample on a running stack; its result, `{"exit": code}` alone when it broke before it had one."""
    result.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "ansinh.demo_driver", stdin=subprocess.PIPE)
    try:
        asked = json.dumps({"stack": asdict(stack), "sample": str(sample), "result": str(result)})
        await process.communicate(asked.encode())
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return {**found, "exit": process.returncode}


def main() -> int:
    """Exit code of the month: 0 when everything is exactly right, 1 when something differs, 2 when it broke off."""
    from ansinh.demo.run import DemoFailed, run

    asked = json.load(sys.stdin)
    try:
        result = asyncio.run(run(StackInfo(**asked["stack"]), Path(asked["sample"])))
    except DemoFailed as error:
        print(f"demo: {error}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    Path(asked["result"]).write_text(json.dumps(result, ensure_ascii=False, default=str), encoding="utf-8")
    return 1 if result["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
