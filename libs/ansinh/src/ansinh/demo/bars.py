"""Progress of the demo: a bar per stage on a terminal, a line per stage everywhere, and the seconds of each stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

__all__ = ["Stage", "Stages"]

Listener = Callable[[str, int, int], None]


class Stage:
    """One running stage."""

    def __init__(self, bars: Progress, task: TaskID, name: str, listener: Listener | None) -> None:
        self._bars, self._task, self._name, self._listener = bars, task, name, listener
        self.done_text = ""

    def update(self, done: int, total: int, text: str = "") -> None:
        """How far it is, and what it is doing."""
        self._bars.update(self._task, completed=done, total=max(total, 1), text=text)
        if self._listener is not None:
            self._listener(self._name, done, total)

    def say(self, text: str) -> None:
        """What it is doing, where there is nothing to count."""
        self._bars.update(self._task, text=text)


class Stages:
    """All stages of a run, in order. `seconds` maps their names to durations."""

    def __init__(self, console: Console, say: Callable[[str], None] | None = None, listener: Listener | None = None) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self._say = say
        self._listener = listener
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> Stages:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, name: str, description: str) -> Iterator[Stage]:
        """Runs one stage: a bar while it lasts, a line with its seconds when it is over."""
        task = self._bars.add_task(description, total=None, text="")
        stage, began = Stage(self._bars, task, name, self._listener), time.monotonic()
        try:
            if self._listener is not None:
                self._listener(name, 0, 0)
            yield stage
        finally:
            self._bars.remove_task(task)
            self.seconds[name] = round(time.monotonic() - began, 2)
        line = f"  {description:<36} {self.seconds[name]:>7.1f} s   {stage.done_text}"
        if self._say is None:
            self.console.print(line, highlight=False, markup=False)
        else:
            self._say(line)
