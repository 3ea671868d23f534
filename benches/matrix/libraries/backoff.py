"""backoff: decorators, and generators of waits."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from benches.matrix.adapter import Adapter
from benches.matrix.policies import Guard, Tries


class Backoff(Adapter):
    """Fixed waits, without jitter."""

    name = "backoff"
    module = "backoff"
    policies = ("retry",)

    def retry(self, tries: Tries) -> Guard:
        import backoff

        never = tries.never

        def giveup(error: Exception) -> bool:
            return never is not None and isinstance(error, never)

        return Guard(
            backoff.on_exception(
                backoff.constant,
                Exception,
                max_tries=tries.attempts,
                max_time=tries.max_duration,
                interval=tries.delay,
                jitter=None,
                giveup=giveup,
            )
        )
