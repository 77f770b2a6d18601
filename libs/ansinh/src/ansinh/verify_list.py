"""`./ansinh verify-list CYCLE`: a running stack makes a cycle's list again from its kept inputs; the verdict in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from ansinh.demo.client import Api, ApiProblem
from ansinh.demo.stack_info import StackInfo
from ansinh.demo_command import demo_layout
from ansinh.stack.control import holder
from ansinh.stack.layout import SERVICES, Layout

__all__ = ["run", "verdict"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE = 1, 69
_ENDED = ("DONE", "FAILED")


def _running(home: Layout) -> Layout | None:
    """The stack that runs: this home's own, or the demo's beside it."""
    for layout in (home, demo_layout(home)):
        if layout.run.exists() and holder(layout):
            return layout
    return None


def _info(layout: Layout) -> StackInfo:
    users = json.loads((layout.secrets / "issuer.json").read_text(encoding="utf-8"))["users"]
    passwords = {name: user["password"] for name, user in users.items()}
    services = {service.name: layout.url(service.name) for service in SERVICES}
    return StackInfo(services, layout.url("issuer"), layout.url("partner"), passwords["operator"], passwords)


async def _verify(info: StackInfo, cycle_id: str, user: str) -> dict[str, Any]:
    async with Api(info) as api:
        made = await api.post("disbursement", f"/v1/cycles/{cycle_id}/verify-list", user, key=f"verify-{asyncio.get_running_loop().time()}")
        while True:
            job: dict[str, Any] = await api.get("disbursement", f"/v1/jobs/{made['job_id']}", user)
            if job["state"] in _ENDED:
                return job
            await asyncio.sleep(0.5)


def verdict(result: dict[str, Any]) -> list[str]:
    """What a verification found, in lines for a person."""
    kept = result["inputs_kept"]
    return [
        f"list            {result['list_id']}",
        f"its hash        {result['list_hash']}",
        f"stored lines    {result['stored_hash']}  {'same' if result['stored_hash'] == result['list_hash'] else 'ALTERED'}",
        *(
            [
                f"kept inputs     {'untouched' if result['inputs_intact'] else 'ALTERED'}",
                f"made again      {result['recomputed_hash']}  {'same' if result['recomputed_hash'] == result['list_hash'] else 'OTHER'}",
                *([] if result["rules_same"] else ["rules           changed since the list was made: another hash may be right"]),
                *([f"beyond due      {result['beyond_due']} months are listed with more than was due"] if result["beyond_due"] else []),
            ]
            if kept
            else ["kept inputs     none: the list was made before they were kept, it cannot be made again"]
        ),
        "agrees" if result["agrees"] else "DOES NOT AGREE",
    ]


def run(cycle_id: str, user: str, say: Say) -> int:
    """Verify a cycle's list on the stack that runs; 0 when all agree."""
    layout = _running(Layout.from_environment())
    if layout is None:
        say("nothing runs here: ./ansinh up first")
        return _UNAVAILABLE
    try:
        job = asyncio.run(_verify(_info(layout), cycle_id, user))
    except ApiProblem as problem:
        say(str(problem))
        return _FAILED
    if job["state"] != "DONE":
        say(f"the verification failed: {job['error']}")
        return _FAILED
    for line in verdict(job["result"]):
        say(line)
    return 0 if job["result"]["agrees"] else _FAILED
