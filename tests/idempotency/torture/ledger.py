"""What workers write down as they go, and what follows from it in the end."""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

#: The bytes of an entry. It is written at once: a kill comes before or after it.
WIDTH = 64
#: A body runs: its order and fence. A call was answered: its order and result. It raised: what.
RAN, ANSWERED, RAISED = "ran", "answered", "raised"


class Ledger:
    """A file that processes append to."""

    def __init__(self, path):
        """Open in this process."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, *words):
        """One entry."""
        entry = " ".join(map(str, words)).ljust(WIDTH - 1) + "\n"
        if len(entry) != WIDTH or os.write(self._file, entry.encode()) != WIDTH:
            raise RuntimeError(f"this entry was not written in one piece: {entry}")

    def count(self):
        """How many entries there are."""
        return os.fstat(self._file).st_size // WIDTH

    def entries(self):
        """All entries, in words."""
        return [line.split() for line in Path(self.path).read_text().splitlines()]


@dataclass
class Verdict:
    """What became of all orders. ``doubles`` and ``losses`` say what must not have happened."""

    effects: int = 0
    completed: int = 0
    again: int = 0
    unknown: int = 0
    refused: int = 0
    raised: Counter = field(default_factory=Counter)
    doubles: list = field(default_factory=list)
    losses: list = field(default_factory=list)


def judged(entries, records, once):
    """What the ledger and the store say together.

    Args:
        entries: Of the ledger.
        records: Of the store in the end, by order: state, fence and result.
        once: Whether each order may run at most once.

    A double is an effect that there may not be: at most once, each second one; else a run that was
    begun after the operation had completed (its fence is higher than that of the end), and two
    answers to one order that differ. A loss is an answer that was given or an effect that took
    place, of which the store knows nothing, or something else.
    """
    found = Verdict()
    runs, answers = defaultdict(list), defaultdict(set)
    for what, *words in entries:
        if what == RAN:
            runs[int(words[0])].append(int(words[1]))
        elif what == ANSWERED:
            answers[int(words[0])].add(int(words[1]))
        else:
            found.raised[words[0]] += 1
    found.refused = found.raised["LeaseLostError"]
    for order, fences in runs.items():
        found.effects += len(fences)
        found.again += len(fences) - 1
        state, fence, result = records.get(order, (None, 0, None))
        if once and len(fences) > 1:
            found.doubles.append(f"{order} ran {len(fences)} times")
        if len(set(fences)) != len(fences):
            found.doubles.append(f"two runs of {order} had one fence")
        if state is None:
            found.losses.append(f"{order} ran, and there is no record of it")
        elif max(fences) > fence:
            found.losses.append(f"{order} ran under fence {max(fences)}, the store knows {fence}")
        if state == "completed" and result != fence:
            found.losses.append(f"{order} has the result {result} of another run than {fence}")
        if state == "completed" and fence not in fences:
            found.losses.append(f"{order} completed and did not run")
    for order, given in answers.items():
        state, _fence, result = records.get(order, (None, 0, None))
        if len(given) > 1:
            found.doubles.append(f"{order} was answered with {sorted(given)}")
        if state != "completed" or given != {result}:
            found.losses.append(f"{order} was answered with {sorted(given)}, is {state}: {result}")
    states = Counter(state for state, _fence, _result in records.values())
    found.completed = states["completed"]
    found.unknown = states["quarantined"] + states["in_progress"]
    return found
