"""The peers' matrix: adversarial scenarios, run against seawall and the libraries beside it.

`python -m benches.matrix` runs every scenario against every installed library and prints who is
right. A scenario is a small function whose docstring is the claim it checks (`scenarios/`). A
library is an adapter that says how it is made and asked (`libraries/`); an adapter holds no
opinion. Each pair runs in a process of its own with a time limit, so that a deadlock is a result
and not the end of the run.

    pip install -r benches/matrix/requirements.txt
    python -m benches.matrix                      # all; writes docs/benchmarks/matrix.md as well
    python -m benches.matrix --list               # the scenarios and their claims
    python -m benches.matrix --only pybreaker --scenario no-stampede --json

A new library is a file in `libraries/` and a line in its index; a new scenario is a function.
An adapter outside this package is named by its path: `--only package.module:Class`.

A library is asked about the policies that it has: breakers, bulkheads, rate limits, retries.
Breakers are judged with a clock that is moved by hand, the others, whose peers wait in their own
ways, in real time.

What *right* means is seawall's rule. Where reasonable libraries choose otherwise, the scenario is
marked as a convention and the report says so.
"""
