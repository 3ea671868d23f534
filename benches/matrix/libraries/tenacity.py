"""tenacity: stop, wait and retry strategies that are added up."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from benches.matrix.adapter import Adapter
from benches.matrix.policies import Guard, Tries


class Tenacity(Adapter):
    """The one everybody knows."""

    name = "tenacity"
    module = "tenacity"
    policies = ("retry",)
    caveat = "`stop_before_delay`, and `retry_if_not_exception_type` for what is never tried again."

    def retry(self, tries: Tries) -> Guard:
        import tenacity

        stop = tenacity.stop_after_attempt(tries.attempts)
        if tries.max_duration is not None:
            stop |= tenacity.stop_before_delay(tries.max_duration)
        never = tenacity.retry_if_not_exception_type(tries.never) if tries.never else None
        return Guard(
            tenacity.retry(
                stop=stop,
                wait=tenacity.wait_fixed(tries.delay),
                retry=never or tenacity.retry_if_exception_type(),
            )
        )
