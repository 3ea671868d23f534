"""Who is killed when, and what is left in the end."""

import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import seawall

from tests.idempotency.torture import worker
from tests.idempotency.torture.ledger import ANSWERED, RAISED, Ledger, Verdict, judged
from tests.idempotency.torture.sites import SITES

WORKERS = 4
#: Of so many kills, one is that of a server.
KILLS_A_SERVER = 20
#: And so many are followed by a process that stands still.
KILLS_A_STOP = 4
#: Seconds for which nothing may happen at all.
PATIENCE = 60
#: How many answered orders are asked for once more in the end.
ASKED_AGAIN = 200


@dataclass
class Torture:
    """What was done to one store under one guarantee, and what came of it."""

    store: str
    once: bool
    kills: int = 0
    stops: int = 0
    servers: int = 0
    seconds: float = 0.0
    verdict: Verdict | None = None


class Fire:
    """Processes at work, and what is done to them."""

    def __init__(self, site, path, done):
        """They are begun."""
        self._site, self._path, self._done = site, path, done
        self._ledger = Ledger(path)
        self._stopped = {}
        self._pids = [self._begun(place) for place in range(WORKERS)]

    def _begun(self, place):
        once, tasks = self._done.once, place % 2 == 1
        return worker.forked(self._site.url, self._path, once=once, tasks=tasks)

    def goes_on_for(self, kills):
        """Until so many are killed."""
        for number in range(1, kills + 1):
            self._passes(number)
            if self._site.server is not None and number % KILLS_A_SERVER == 0:
                self._site.server.restart()
                self._done.servers += 1
            self._kill(number)
            if number % KILLS_A_STOP == 0 and not self._stopped:
                self._stop(random.randrange(WORKERS))

    def _passes(self, number):
        """A kill comes at any moment of what they do."""
        before, begun = self._ledger.count(), time.monotonic()
        # Real time: where nothing is done they are starting, which most kills wait for.
        time.sleep(random.uniform(0.001, 0.04))
        while number % 4 and self._ledger.count() < before + 3:
            self._let_go_on()
            if time.monotonic() - begun > PATIENCE:
                raise RuntimeError(f"{self._site.name}: the workers do nothing")
            time.sleep(0.001)
        self._let_go_on()

    def _kill(self, number):
        """One that is at work; now and then, one that stands still."""
        places = range(WORKERS)
        if number % KILLS_A_STOP:
            places = [place for place in places if self._pids[place] not in self._stopped]
        place = random.choice(places)
        pid, self._pids[place] = self._pids[place], self._begun(place)
        self._end(pid)
        self._done.kills += 1

    def _stop(self, place):
        """It stands still, often for longer than its lease."""
        pid = self._pids[place]
        os.kill(pid, signal.SIGSTOP)
        self._stopped[pid] = time.monotonic() + random.uniform(0, 3 * worker.LEASE)
        self._done.stops += 1

    def _let_go_on(self):
        now = time.monotonic()
        for pid in [pid for pid, until in self._stopped.items() if until <= now]:
            del self._stopped[pid]
            os.kill(pid, signal.SIGCONT)

    def _end(self, pid):
        self._stopped.pop(pid, None)
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"{self._site.name}: a worker ended by itself: {status}")

    def is_over(self):
        """All are gone."""
        while self._pids:
            self._end(self._pids.pop())


def tortured(name, once, kills):
    """What comes of so many kills."""
    done, begun = Torture(name, once), time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="seawall-") as folder,
        SITES[name](name, folder) as site,
    ):
        path = Path(folder) / "ledger"
        fire = Fire(site, path, done)
        try:
            fire.goes_on_for(kills)
        finally:
            fire.is_over()
        done.verdict = _judged(site, Ledger(path).entries(), once)
    done.seconds = time.monotonic() - begun
    return done


def _judged(site, entries, once):
    """What is kept is compared with what was written down, and some orders are asked for again."""
    orders = {int(words[1]) for words in entries if words[0] != RAISED}
    answered = {int(words[1]): int(words[2]) for words in entries if words[0] == ANSWERED}
    with seawall.open_store(site.url) as store:
        call = seawall.idempotent(**worker.settings(store, once=once))(_never)
        decode, records = call.idempotency.decode, {}
        for order in orders:
            record = store.get(order, scope=worker.NAME)
            if record is not None:
                has_result = record.state == "completed"
                result = decode(record.codec, record.data) if has_result else None
                records[order] = (record.state, record.fence, result)
        verdict = judged(entries, records, once)
        for order in random.sample(sorted(answered), min(len(answered), ASKED_AGAIN)):
            try:
                result = call(order)
            except Exception as error:
                result = repr(error)
            if result != answered[order]:
                verdict.losses.append(f"{order} was {answered[order]}, asked again it is {result}")
    return verdict


def _never(order):
    raise AssertionError(f"{order} has completed, and is run again")
