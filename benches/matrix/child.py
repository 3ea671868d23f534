"""One scenario against one library, in this process: prints a finding as JSON and is gone.

The process ends without waiting for its threads: some of them are stuck on purpose.
"""

from __future__ import annotations

import json
import logging
import os
import sys

from benches.matrix import libraries
from benches.matrix.adapter import Kind
from benches.matrix.clock import real_time
from benches.matrix.lab import Lab
from benches.matrix.scenarios import BY_NAME
from benches.matrix.verdict import Finding, Verdict, Verdictful


def judge(library: str, name: str, kind: Kind) -> Finding:
    """Run the scenario and say what was found."""
    try:
        adapter = libraries.adapter(library)
        scenario = BY_NAME[name]
        with adapter.clock() if scenario.policy == "breaker" else real_time() as clock:
            lab = Lab(adapter, kind, clock, path=library)
            scenario.run(lab)
    except Verdictful as found:
        return Finding(found.verdict, str(found))
    except Exception as error:
        return Finding(Verdict.CRASHED, f"{type(error).__name__}: {error}")
    return Finding(Verdict.RIGHT)


def main() -> None:
    """Take library, scenario and kind from the command line."""
    logging.disable(logging.CRITICAL)
    library, name, kind = sys.argv[1:]
    finding = judge(library, name, "async" if kind == "async" else "sync")
    sys.stdout.write("\n" + json.dumps({"verdict": finding.verdict, "what": finding.what}) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
