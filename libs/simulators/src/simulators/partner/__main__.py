"""`python -m simulators.partner --config FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulators.partner.app import create_app
from simulators.partner.config import SimulatorConfig
from simulators.partner.runtime import Runtime
from simulators.serving import read_config, serve


def main() -> int:
    """Exit code: 0 stopped, 1 port is taken, 2 refused to start."""
    parser = argparse.ArgumentParser(prog="python -m simulators.partner", description="Payment partners with their own books")
    parser.add_argument("--config", type=Path, required=True)
    config = read_config(parser.parse_args().config, SimulatorConfig)
    return serve(create_app(Runtime(config)), config.host, config.port)


if __name__ == "__main__":
    sys.exit(main())
