"""`python -m simulators.population --config FILE`, and `... generate --people N --seed S --out FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulators.population.app import create_app
from simulators.population.config import PopulationConfig
from simulators.population.generate import generate
from simulators.serving import read_config, serve


def main() -> int:
    """Exit code: 0 stopped, 1 port is taken, 2 refused to start."""
    parser = argparse.ArgumentParser(prog="python -m simulators.population", description="Mock national population database")
    parser.add_argument("--config", type=Path)
    verbs = parser.add_subparsers(dest="verb")
    make = verbs.add_parser("generate", help="write a world.sqlite of made-up people, each with an open bank account, for benches")
    make.add_argument("--people", type=int, required=True)
    make.add_argument("--seed", type=int, default=1)
    make.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.verb == "generate":
        if arguments.people < 1 or arguments.out.exists():
            parser.error("--people must be 1 or more" if arguments.people < 1 else f"{arguments.out} exists")
        generate(arguments.out, arguments.people, arguments.seed)
        sys.stdout.write(f"{arguments.people} people written to {arguments.out}\n")
        return 0
    if arguments.config is None:
        parser.error("--config FILE is required")
    config = read_config(arguments.config, PopulationConfig)
    return serve(create_app(config), config.host, config.port)


if __name__ == "__main__":
    sys.exit(main())
