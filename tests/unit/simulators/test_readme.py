"""What the README says exists."""

from __future__ import annotations

from pathlib import Path

from simulators.partner.config import PartnerConfig, SimulatorConfig
from simulators.partner.scripts import Behaviour
from simulators.population.config import PopulationConfig, Script

README = Path(__file__).parents[3] / "libs" / "simulators" / "README.md"


def test_every_behaviour_and_setting_is_described() -> None:
    text = README.read_text(encoding="utf-8")
    names = {behaviour.value for behaviour in Behaviour} | set(Script.model_fields) | set(PopulationConfig.model_fields)
    names |= set(PartnerConfig.model_fields) | set(SimulatorConfig.model_fields) - {"notice_timeout_seconds", "open_holder_name"}
    assert {name for name in names if f"`{name}`" not in text} == set()
