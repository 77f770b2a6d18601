"""`ansinh sample`: writes a sample month to a folder."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ansinh.sample.generate import DEFAULT_SEED, write_sample
from ansinh.sample.presets import DEFAULT_PRESET, PRESETS

__all__ = ["add_arguments", "command"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `ansinh sample`."""
    parser.add_argument("--out", type=Path, default=Path("sample"), help="folder to write (default: ./sample)")
    parser.add_argument("--preset", default=DEFAULT_PRESET, help=f"{', '.join(sorted(PRESETS))} (default: %(default)s)")
    parser.add_argument("--province", help="legacy code of another province, two digits")
    parser.add_argument("--people", type=int, help="number of people on the lists, 60 to 1,000,000")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="same seed, same people (default: %(default)s)")


def command(args: argparse.Namespace) -> int:
    """Writes the sample with a progress bar; exit code 2 and one clear line for a wrong argument or a full disk."""
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("communes"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bars:
        task = bars.add_task("writing lists", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            bars.update(task, description=stage, completed=done, total=total)

        try:
            manifest = write_sample(args.out, args.preset, args.province, args.people, args.seed, progress)
        except (ValueError, OSError) as error:
            print(f"sample: {error}", file=sys.stderr)
            return 2
    rows = sum(int(str(f["rows"])) for f in manifest.files)
    print(f"{manifest.people:,} people of {manifest.province_name}, {manifest.month}, seed {manifest.seed}: {len(manifest.files):,} files, "
          f"{rows:,} rows in {args.out} ({time.monotonic() - began:.1f} s)")  # fmt: skip
    if manifest.note:
        print(manifest.note)
    return 0
