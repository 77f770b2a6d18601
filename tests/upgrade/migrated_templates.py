"""Loaded (`-p`) into the run of the release before: its tests' databases are clones of templates migrated by the release of today."""

from __future__ import annotations

import json
import os
from pathlib import Path


def pytest_configure() -> None:
    """Raises RuntimeError when it is not the code of the release before that runs."""
    from common import testing  # pytest wants to load its fixtures itself first

    here = Path(str(testing.__file__)).resolve()
    if not here.is_relative_to(Path(os.environ["RELEASE_BEFORE"]).resolve()):
        raise RuntimeError(f"not the release before: {here}")
    given: dict[str, str] = json.loads(os.environ["MIGRATED_TEMPLATES"])

    own = testing._template

    def template(pg_url: str, service: str, keys: Path, made: dict[str, str]) -> str:
        """Another service's database, where a test needs one, is that release's own."""
        return given[service] if service in given else str(own(pg_url, service, keys, made))

    testing._template = template
