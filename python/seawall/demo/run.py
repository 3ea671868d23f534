"""One run: all processes are started, live through the script, and are ended."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Self

from seawall.demo.processes import Children
from seawall.demo.script import Script
from seawall.demo.seen import Run, Variant

__all__ = ["Stage"]

#: Seconds between the last process being ready and the beginning.
PAUSE = 0.2
#: Seconds between two looks.
TICK = 0.25
SERVICES = ("payments", "recommendations")


class Stage:
    """The processes of one run, which load what they need while another run is still on."""

    def __init__(self, variant: Variant, script: Script, seed: int) -> None:
        self._variant: Variant = variant
        self._script = script
        self._seed = seed
        self._children = Children()

    def __enter__(self) -> Self:
        """Starts them."""
        try:
            for name in SERVICES:
                self._children.start(name, "service")
            self._children.start("order", "order")
            self._children.start("users", "users")
        except BaseException:
            self._children.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends them."""
        self._children.stop()

    def live(self, look: Callable[[Run, float], None]) -> Run:
        """Lives through the script.

        Args:
            look: Is told several times a second what was seen so far, and how far it has come.

        Raises:
            ChildError: A process ended, or was not ready in time.
        """
        children = self._children
        ports = self._prepare()
        children.brief("order", protected=self._variant == "protected", **ports)
        order = children.ready("order")["port"]
        children.brief("users", port=order, seconds=self._script.seconds, seed=self._seed)
        children.ready("users")
        start = time.monotonic() + PAUSE
        children.begin(start)
        run = Run(self._variant, self._script)
        over = False
        painted = 0.0
        while not over:
            try:
                said = children.said.get(timeout=TICK)
            except queue.Empty:
                children.check()
            else:
                over = said.kind == "over"
                if not over:
                    run.note(said.kind, said.at, said.fields)
            now = time.monotonic()
            if over or now >= painted + TICK:
                painted = now
                look(run, now - start)
        children.stop()
        while not children.said.empty():
            said = children.said.get()
            run.note(said.kind, said.at, said.fields)
        return run

    def _prepare(self) -> dict[str, int]:
        script = list(self._script)
        for name in SERVICES:
            self._children.brief(name, name=name, script=script, seed=self._seed)
        return {name: self._children.ready(name)["port"] for name in SERVICES}
