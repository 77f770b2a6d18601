"""A payment month as commune offices would have it, with the outside world and the truth beside it (for simulators and checks only)."""

from ansinh.sample.command import command
from ansinh.sample.generate import Manifest, read_manifest, write_sample
from ansinh.sample.presets import PRESETS

__all__ = ["PRESETS", "Manifest", "command", "read_manifest", "write_sample"]
