"""The embedded stack as a target: some workers twice, short leases, environments for one life of a process, or on Apache Kafka."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ansinh.stack import services
from ansinh.stack.embedded import Embedded
from ansinh.stack.layout import SERVICES, Layout
from ansinh.stack.process import Spec
from ansinh.stack.supervisor import Stage

__all__ = ["PARTNER_TIMEOUT_SECONDS", "QUICK", "TargetStack"]

#: Leases and group sessions as short as they may be, so that what a dead process held is taken over soon.
QUICK: Final = {
    **{f"{service.prefix}KAFKA_SESSION_TIMEOUT_MS": "2000" for service in SERVICES},
    **{f"{service.prefix}KAFKA_HEARTBEAT_MS": "500" for service in SERVICES},
    **{f"{service.prefix}JOB_LEASE_SECONDS": "4" for service in SERVICES},
    "IDENTITY_VERIFY_LEASE_SECONDS": "6",
    "IDENTITY_VERIFY_POPULATION_TIMEOUT_SECONDS": "5",
    "ACCOUNTS_LEASE_SECONDS": "6",
    "ACCOUNTS_INQUIRY_TIMEOUT_SECONDS": "5",
}
PARTNER_TIMEOUT_SECONDS: Final = 3.0
_ENDED: Final = re.compile(r"(\S+) ended \(signal (\d+)\)")
_OF_ONE_LIFE: Final = ("ANSINH_FAILPOINTS", "ANSINH_CLOCK_OFFSET_SECONDS")


class TargetStack(Embedded):
    """A stack to be ill-treated.

    `once[name]`: environments for the next lives of a process, one each (the first is for its first start). `ends`: who died by SIGKILL.
    """

    def __init__(
        self,
        layout: Layout,
        say: Callable[[str], None],
        units: tuple[str, str, str] | None = None,
        *,
        replicas: Sequence[str] = (),
        apache_kafka: bool = False,
    ) -> None:
        """`replicas`: services whose worker runs twice."""
        self.once: defaultdict[str, deque[dict[str, str]]] = defaultdict(deque)
        self.ends: list[str] = []
        self._tell = say
        self._replicas = replicas
        self._environments: dict[str, dict[str, str]] = {}
        super().__init__(layout, self._hear, units, apache_kafka=apache_kafka)
        self.supervisor.longest_delay = 2.0

    def _hear(self, text: str) -> None:
        if ended := _ENDED.match(text):
            self._next_life(ended[1])
            if ended[2] == "9":
                self.ends.append(ended[1])
        self._tell(text)

    def _stages(self, *arguments: Any, **more: Any) -> list[Stage]:
        stages = super()._stages(*arguments, **more)
        *before, ours = stages
        twice = [
            self._replica(spec) for spec in ours.specs if spec.name.removesuffix("-worker") in self._replicas and spec.group == "worker"
        ]
        stages = [*before, replace(ours, specs=[*ours.specs, *twice])]
        settings = {**QUICK, "DISBURSEMENT_PARTNERS_FILE": str(self.impatient_partners())}
        for spec in (spec for stage in stages for spec in stage.specs):
            assert isinstance(spec.env, dict)
            spec.env.update(settings if spec.group in ("api", "worker") else {})
            self._environments[spec.name] = spec.env
            self._next_life(spec.name)
        return stages

    def _replica(self, spec: Spec) -> Spec:
        service = next(each for each in SERVICES if spec.name == f"{each.name}-worker")
        port = self.layout.worker_port(service) + 10
        env = {**spec.env, f"{service.prefix}WORKER_PORT": str(port)}
        return replace(spec, name=f"{spec.name}-2", env=env, ports=(port,), ready=services.answers(f"http://127.0.0.1:{port}/health/live"))

    def _next_life(self, name: str) -> None:
        if name not in self._environments:
            return
        for variable in _OF_ONE_LIFE:
            self._environments[name].pop(variable, None)
        if self.once[name]:
            self._environments[name].update(self.once[name].popleft())

    def impatient_partners(self) -> Path:
        """The partners as disbursement knows them, with a shorter time to answer: a dead worker's batch is free that much sooner."""
        content = json.loads(self.secrets.partners().read_text(encoding="utf-8"))
        for partner in content["partners"].values():
            partner["timeout_seconds"] = PARTNER_TIMEOUT_SECONDS
        path = self.layout.secrets / "impatient-partners.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path
