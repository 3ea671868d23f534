"""Watched by the interpreter's own tools while it runs."""

import bdb
import sys

import pytest

from tests import needs


@needs.monitoring
def test_monitoring(patient):
    """`sys.monitoring` sees a protected function start and return as it sees a bare one."""
    monitoring = sys.monitoring
    seen = []

    def function(value):
        return value

    async def later(value):
        return value

    events = monitoring.events
    tool = monitoring.DEBUGGER_ID
    monitoring.use_tool_id(tool, "test")
    try:
        monitoring.register_callback(
            tool, events.PY_START, lambda code, offset: seen.append(("start", code.co_name))
        )
        monitoring.register_callback(
            tool, events.PY_RETURN, lambda code, offset, value: seen.append((value, code.co_name))
        )
        for code in (function.__code__, later.__code__):
            monitoring.set_local_events(tool, code, events.PY_START | events.PY_RETURN)
        assert patient(function)(7) == 7
        with pytest.raises(StopIteration):
            patient(later)(8).send(None)
    finally:
        monitoring.free_tool_id(tool)
    assert seen == [("start", "function"), (7, "function"), ("start", "later"), (8, "later")]


class Steps(bdb.Bdb):
    """A debugger that steps through everything and keeps what it has seen of this file."""

    def __init__(self):
        """Has seen nothing."""
        super().__init__()
        self.seen = []

    def user_line(self, frame):
        """Stops before a line."""
        self.keep("line", frame)

    def user_return(self, frame, value):
        """Stops at a return."""
        self.keep("return", frame)

    def user_exception(self, frame, info):
        """Stops at an exception."""
        self.keep(info[0].__name__, frame)

    def keep(self, what, frame):
        """Steps on."""
        if frame.f_code.co_filename == __file__:
            self.seen.append((what, frame.f_code.co_name))
        self.set_step()


def test_a_debugger_steps_in_and_out(patient):
    """Stepping goes from the caller into a protected function and back, as without protection."""

    def inner(value):
        if value < 0:
            raise ValueError
        return value

    def caller(inner):
        try:
            return inner(1) + inner(-1)
        except ValueError:
            return None

    def stepped(inner):
        debugger = Steps()
        debugger.runcall(caller, inner)
        return debugger.seen

    seen = stepped(patient(inner))
    assert seen == stepped(inner)
    assert {("line", "inner"), ("ValueError", "inner"), ("ValueError", "caller")} <= set(seen)
