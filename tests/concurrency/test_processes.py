"""What happens to calls when an interpreter ends, runs out of stack, or is one of several."""

import textwrap

import pytest

from tests import needs
from tests.children import printed

#: How often an interpreter ends in the middle of calls.
EXITS = 1000

#: What is going on in a child when its main thread returns.
SCENES = {
    "threads in calls": """
        never = threading.Event()
        for _ in range(3):
            threading.Thread(target=breaker(never.wait), daemon=True).start()
    """,
    "threads that call all the time": """
        def load(call):
            while True:
                call(int)

        for _ in range(3):
            threading.Thread(target=load, args=(breaker.try_call,), daemon=True).start()
            threading.Thread(target=load, args=(keyed.try_call,), daemon=True).start()
    """,
    "suspended coroutines and blocks": """
        class Pause:
            def __await__(self):
                yield

        @breaker
        async def wait():
            with breaker, keyed.block(key="x"):
                await Pause()

        for _ in range(5):
            suspended = wait()
            suspended.send(None)
            kept.append(suspended)
        kept.append(wait())
        breaker.__enter__()
    """,
    "an event loop that is not closed": """
        @breaker
        async def wait():
            # Real time: it is not over when the interpreter ends.
            await asyncio.sleep(60)

        loop = asyncio.new_event_loop()
        kept.append([loop.create_task(wait()) for _ in range(5)])
        loop.call_soon(loop.stop)
        loop.run_forever()
        kept.append(loop)
    """,
    "a call at exit, and one in a finaliser": """
        import atexit

        class Last:
            def __del__(self):
                breaker.try_call(int)
                with breaker:
                    pass

        atexit.register(breaker.call, int)
        kept.append(Last())
        sys.modules["kept"] = Last()
    """,
    "functions that never end": """
        @breaker
        def spin():
            while True:
                pass

        @breaker
        async def spin_later():
            while True:
                pass

        def spin_inside():
            with breaker:
                spin()

        threading.Thread(target=spin, daemon=True).start()
        threading.Thread(target=lambda: spin_later().send(None), daemon=True).start()
        threading.Thread(target=spin_inside, daemon=True).start()
    """,
    "breakers made and put on functions": """
        def load():
            while True:
                seawall.CircuitBreaker(failure_rate=0.5)(lambda: 1)()

        for _ in range(3):
            threading.Thread(target=load, daemon=True).start()
    """,
    "callables of the user's": """
        def slowly(*args):
            return [number for number in range(200)] and args

        asking = seawall.CircuitBreaker(
            on=slowly, open_duration=lambda it: len(slowly(it)), key=lambda: len(slowly(1))
        )

        def load():
            while True:
                asking.try_call(lambda: 1 / 0)

        for _ in range(3):
            threading.Thread(target=load, daemon=True).start()
    """,
    "an open circuit with listeners": """
        seawall.subscribe(lambda event: None, background=True)
        breaker.force_open()

        def load():
            while True:
                breaker.try_call(int)
                breaker.reset()
                breaker.force_open()

        for _ in range(3):
            threading.Thread(target=load, daemon=True).start()
    """,
}

PROGRAM = """
{imports}
import os
import sys
import threading
import time
import warnings

import seawall

warnings.simplefilter("ignore")
breaker = seawall.CircuitBreaker("b", failure_threshold=3, window=seawall.seconds(60))
keyed = seawall.CircuitBreaker("k", key=lambda *args: len(args), max_keys=5)
kept = []
nowhere = os.open(os.devnull, os.O_WRONLY)


def scene():
{scene}


def main():
    running = set()
    codes = []
    for number in range({times}):
        child = os.fork()
        if child == 0:
            os.dup2(nowhere, 2)
            # The main thread ends when it has its turn: often soon, and sometimes as late as usual.
            if number % 8:
                sys.setswitchinterval(1e-4)
            scene()
            return
        running.add(child)
        while len(running) >= 4:
            child, status = os.wait()
            running.discard(child)
            codes.append(os.waitstatus_to_exitcode(status))
    while running:
        child, status = os.wait()
        running.discard(child)
        codes.append(os.waitstatus_to_exitcode(status))
    print(len(codes), sorted(set(codes)))


main()
"""


@needs.fork
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_interpreter_ends_during_calls(scene):
    """Whatever is in flight when an interpreter ends, it ends well: no abort, no hang.

    Up to Python 3.13 a daemon thread that wants to go on then is ended by unwinding its stack, ours
    included: see decision 0008.
    """
    times = EXITS // len(SCENES) + 1
    body = textwrap.indent(textwrap.dedent(SCENES[scene]), "    ")
    # Once, not in each child.
    imports = "import asyncio" if "asyncio" in body else ""
    program = PROGRAM.format(imports=imports, scene=body, times=times)
    assert printed(program, timeout=300) == f"{times} [0]"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_recursion_ends_in_a_recursion_error(kind):
    """A protected function that calls itself for ever ends as any other, and holds nothing."""
    assert (
        printed(f"""
import seawall

breaker = seawall.CircuitBreaker(ignore=RecursionError)

@breaker
def deep(n):
    return deep(n + 1)

@breaker
async def deep_later(n):
    return await deep_later(n + 1)

for _ in range(3):
    try:
        if "{kind}" == "sync":
            deep(0)
        else:
            deep_later(0).send(None)
    except RecursionError:
        pass
assert breaker.call(int) == 0
print(breaker.snapshot().in_flight, breaker.state)
""")
        == "0 closed"
    )


def test_a_sub_interpreter_is_refused():
    """Importing in a second interpreter is an ImportError there, and nothing changes here."""
    assert (
        printed("""
import seawall

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

breaker = seawall.CircuitBreaker()
for _ in range(3):
    other = interpreters.create()
    told = interpreters.run_string(other, '''
try:
    import seawall._core
except ImportError as error:
    print("refused")
else:
    print("let in")
''')
    assert told is None, told
    interpreters.destroy(other)
assert breaker.call(int) == 0
""")
        == "refused\nrefused\nrefused"
    )
