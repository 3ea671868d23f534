"""Operations of several processes, which are killed, stopped, forked and ended."""

import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import seawall

from tests.children import printed

#: Seconds. Real time: leases go by the store's clock.
LEASE = 0.3

WORKER = """
    import asyncio, os, sys, threading
    import seawall

    url, effects, way, how, many = sys.argv[1:6]
    store = seawall.open_store(url)
    effect_file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def body(order):
        claim = seawall.current_claim()
        # One line a write: it is there whole, or not at all.
        os.write(effect_file, f"{order} {claim.fence} {os.getpid()}\\n".encode())
        return order * 2

    async def task(order):
        await asyncio.sleep(0)
        return body(order)

    settings = dict(store=store, name=f"work-{how}", key=lambda order: f"order-{order}",
                    lease=0.3, attempts=100, wait=30, at_most_once=how == "once")
    if way == "async":
        call = seawall.idempotent(**settings)(task)

        async def main(orders):
            return await asyncio.gather(*(call(order) for order in orders))

        run = lambda orders: asyncio.run(main(orders))
    else:
        call = seawall.idempotent(**settings)(body)
        run = lambda orders: [call(order) for order in orders]
"""


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def place(request, tmp_path):
    """A store that processes share, and a file of effects."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/store.db?durability=relaxed"
    else:
        name = {"redis": "redis_url", "postgresql": "postgres_url"}[request.param]
        url = request.getfixturevalue(name)
    return url, tmp_path / "effects"


def begun(program, *arguments):
    """A process that runs a program."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def effects_of(path):
    """The effects: operation, fence, process."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(map(int, line.split())) for line in lines]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_hundred_duplicates_in_four_processes_run_once(place, way):
    """Of a hundred calls in four processes at once, one runs; all get its result."""
    url, effects = place
    program = textwrap.dedent(WORKER) + textwrap.dedent("""
        print("ready", flush=True)
        sys.stdin.readline()
        if way == "async":
            print(run([7] * 25))
        else:
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(25) as pool:
                print(list(pool.map(call, [7] * 25)))
    """)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, effects, way, "often", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        out, errors = worker.communicate(timeout=50)
        assert worker.returncode == 0, errors
        assert out == f"{[14] * 25}\n"
    assert len(effects_of(effects)) == 1


KILLED = (
    WORKER
    + """
    import random
    for number in range(10**6):
        order = random.randrange(int(many))
        try:
            run([order])
        except (seawall.OutcomeUnknownError, seawall.OperationInProgressError):
            pass
        except seawall.LeaseLostError:
            pass
        else:
            print(order, flush=True)
"""
)


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("how", ["once", "often"])
def test_killed_again_and_again(place, way, how):
    """Processes are killed as they run: at most once, nothing runs twice; else each gets one end.

    What has completed is never run again, and the fences of an operation only grow.
    """
    url, effects = place
    orders = 3000
    seen: list[int] = []
    rounds = 8
    for _ in range(rounds):
        workers = [begun(KILLED, url, effects, way, how, orders) for _ in range(2)]
        for worker in workers:
            assert worker.stdout.readline(), worker.stderr.read()
        # Real time: they are killed wherever they happen to be.
        time.sleep(random.uniform(0, 0.15))
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
        for worker in workers:
            out, _ = worker.communicate(timeout=30)
            seen += [int(line) for line in out.split("\n")[:-1] if line]
    found = effects_of(effects)
    assert found
    assert set(seen) <= {order for order, _, _ in found}
    runs: dict[int, list[int]] = {}
    for order, fence, _pid in found:
        runs.setdefault(order, []).append(fence)
    if how == "once":
        assert max(map(len, runs.values())) == 1
    assert all(fences == sorted(set(fences)) for fences in runs.values())
    with seawall.open_store(url) as store:
        for record in store.list(scope=f"work-{how}"):
            if record.state == "completed":
                # It was the last one to run that completed it.
                order = int(record.key.removeprefix("order-"))
                assert runs[order][-1] == record.fence


def test_stopped_for_longer_than_its_lease(place):
    """A process that stands still loses its operation; going on, it is told, and its end refused.

    At most once, nobody takes it over, and its result is kept when it goes on.
    """
    url, effects = place
    program = (
        WORKER
        + """
    def held(order):
        body(order)
        print("inside", flush=True)
        sys.stdin.readline()
        return os.getpid()

    call = seawall.idempotent(**settings)(held)
    try:
        print(call(1) == os.getpid(), flush=True)
    except seawall.LeaseLostError:
        print("lost", flush=True)
    """
    )
    for how, expected in (("often", "False"), ("once", "True")):
        worker = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), url, effects, "sync", how, "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout.readline() == "inside\n", worker.stderr.read()
        worker.send_signal(signal.SIGSTOP)
        with seawall.open_store(url) as store:
            settings = {
                "store": store,
                "name": f"work-{how}",
                "key": lambda order: f"order-{order}",
                "lease": LEASE,
                "at_most_once": how == "once",
            }
            call = seawall.idempotent(**settings)(lambda order: 5)
            if how == "often":
                assert call(1) == 5
            else:
                with pytest.raises(seawall.OutcomeUnknownError):
                    call(1)
            worker.send_signal(signal.SIGCONT)
            out, errors = worker.communicate("go\n", timeout=30)
            assert worker.returncode == 0, errors
            assert out == f"{expected}\n"
            (record,) = store.list(scope=f"work-{how}")
            assert record.state == "completed"


def test_a_child_is_its_own(place):
    """A forked child renews its own leases, and has nothing of what runs in its parent."""
    url, _ = place
    program = """
        import os, sys, threading
        import seawall
        from seawall.idempotency.local import local_of

        store = seawall.open_store(sys.argv[1])
        with seawall.idempotency_key("parent", store=store, lease=0.3) as claim:
            child = os.fork()
            if child == 0:
                assert local_of(store).running == {}
                with seawall.idempotency_key("child", store=store, lease=0.3) as own:
                    names = [thread.name for thread in threading.enumerate()]
                    assert "seawall-idempotency-heartbeat" in names, names
                    first = store.get("child").lease_until
                    while store.get("child").lease_until == first:
                        pass
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert not claim.lost
            claim.complete(1)
        print(store.get("parent").state, store.get("child").state)
    """
    status, out, errors = child_of(program, url)
    assert (status, out) == (0, "completed completed"), errors


def child_of(program, *arguments):
    """How a program with arguments ended, and what it said."""
    done = subprocess.run(
        # The server of these tests does without fsync, and a store says so.
        [
            *(sys.executable, "-W", "error", "-W", "ignore:store postgresql"),
            *("-c", textwrap.dedent(program), *map(str, arguments)),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr


@pytest.mark.parametrize("way", ["thread", "task", "block"])
def test_an_exit_in_the_middle(tmp_path, way):
    """A program that ends while operations run ends as it should, renewals under way or not."""
    program = """
        import asyncio, sys, threading
        import seawall

        way = sys.argv[2]
        store = seawall.open_store(sys.argv[1])
        inside = threading.Event()

        @seawall.idempotent(store=store, name="exit", lease=0.03)
        def call(order):
            inside.set()
            threading.Event().wait()

        if way == "thread":
            for order in range(3):
                threading.Thread(target=call, args=(order,), daemon=True).start()
            inside.wait()
        elif way == "block":
            block = seawall.idempotency_key("k", store=store, lease=0.03)
            block.__enter__()
        else:
            @seawall.idempotent(store=store, name="exit", lease=0.03)
            async def task(order):
                inside.set()
                await asyncio.sleep(60)

            loop = asyncio.new_event_loop()
            kept = loop.create_task(task(1))
            kept._log_destroy_pending = False
            while not inside.is_set():
                loop.run_until_complete(asyncio.sleep(0))
        print("ends")
    """
    for number in range(5):
        url = f"sqlite:///{tmp_path}/{number}.db?durability=relaxed"
        status, out, errors = child_of(program, url, way)
        assert (status, out) == (0, "ends"), errors
        assert "Traceback" not in errors, errors


def test_nothing_is_started_by_importing_it():
    """Importing everything starts no thread and opens nothing."""
    assert (
        printed("""
        import threading
        import seawall, seawall.idempotency
        from seawall.idempotency import blocks, decorator
        print(threading.active_count())
        """)
        == "1"
    )
