"""`python -m simulators.issuer --config FILE`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from simulators.issuer.app import create_app
from simulators.issuer.config import IssuerConfig
from simulators.issuer.keys import SigningKey
from simulators.serving import read_config, refuse, serve


def main() -> int:
    """Exit code: 0 stopped, 1 port is taken, 2 refused to start."""
    parser = argparse.ArgumentParser(prog="python -m simulators.issuer", description="Development OIDC issuer")
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    if os.environ.get("ANSINH_ENVIRONMENT", "").strip().lower() == "production":
        return refuse("the development issuer does not run in production (ANSINH_ENVIRONMENT=production): use a real OIDC provider")
    config = read_config(arguments.config, IssuerConfig)
    return serve(create_app(config, SigningKey.load_or_create(config.keys_file)), config.host, config.port)


if __name__ == "__main__":
    sys.exit(main())
