"""Paths of calls that have a key."""

import contextlib

import seawall

from tests.calls.leaks.subject import Subject, TroubleError, run


class Keyed(Subject):
    """A state for each key."""

    def keys_that_come_and_go(self):
        """States are made for keys, and forgotten again."""
        for key in self.keys:
            self.keyed_good(key)
        with contextlib.suppress(TroubleError):
            self.keyed_bad(self.argument)
        self.keyed.reset(key=self.argument)

    def keyed_and_refused(self):
        """One key's circuit refuses, as an exception and as an outcome; so does one in a row."""
        with contextlib.suppress(seawall.CircuitOpenError):
            self.keyed_refused(self.argument)
        self.keyed_shut.block(key=self.argument).try_call(int)
        with contextlib.suppress(seawall.CircuitOpenError):
            run(self.keyed_tall(self.argument))

    def keyed_and_later(self):
        """A key's coroutine: awaited, closed in the middle, never awaited."""
        run(self.keyed_later(self.argument))
        begun = self.keyed_later(self.argument)
        begun.send(None)
        begun.close()
        self.keyed_later(self.argument).close()

    def keyed_and_unfit(self):
        """A key that can't be one."""
        for key in ([], {}):
            with contextlib.suppress(TypeError):
                self.keyed_good(key)
            with contextlib.suppress(TypeError):
                self.keyed_tall(key)
