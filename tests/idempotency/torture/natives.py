"""Torture of the stores alone, below the operations: a test in Rust, whose words are read here."""

import os
import re
import subprocess
from dataclasses import dataclass

_COMMAND = ["cargo", "test", "--features", "stores", "--test", "stores_processes"]
_COMMAND += ["--", "--nocapture", "kill"]
_ONCE = re.compile(
    r"(?P<store>[^,\n]+), at most once: (?P<kills>\d+) kills, (?P<effects>\d+) effects, "
    r"(?P<doubles>\d+) doubles, (?P<completed>\d+) completed, (?P<unknown>\d+) lost"
)
_ONE = re.compile(
    r"(?P<store>[^,\n]+), one result: (?P<kills>\d+) kills, (?P<effects>\d+) effects, "
    r"(?P<again>\d+) of them run again"
)


@dataclass
class Native:
    """What a test said of one store under one guarantee."""

    store: str
    once: bool
    kills: int
    effects: int
    doubles: int = 0
    completed: int | None = None
    unknown: int | None = None
    again: int = 0


def tortured(kills):
    """What the tests say, and whether they passed: what was lost is a test that did not."""
    found = []
    with subprocess.Popen(
        _COMMAND, env=os.environ | {"SEAWALL_KILLS": str(kills)}, stdout=subprocess.PIPE, text=True
    ) as tests:
        for line in tests.stdout:
            print(line, end="", flush=True)
            found += read(line)
    return found, tests.returncode == 0


def read(line):
    """What a line says, if it says anything."""
    for once, said in ((True, _ONCE), (False, _ONE)):
        for match in said.finditer(line):
            words = match.groupdict()
            store = words.pop("store").replace("durability=", "").strip().rpartition("... ")[2]
            yield Native(store, once, **{name: int(word) for name, word in words.items()})
