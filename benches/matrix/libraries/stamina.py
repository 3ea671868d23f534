"""stamina: tenacity with defaults that are safe."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from benches.matrix.adapter import Adapter
from benches.matrix.policies import Guard, Tries


class Stamina(Adapter):
    """Fixed waits, without jitter."""

    name = "stamina"
    module = "stamina"
    policies = ("retry",)

    def retry(self, tries: Tries) -> Guard:
        import stamina

        never = tries.never

        def on(error: BaseException) -> bool:
            return isinstance(error, Exception) and not (never and isinstance(error, never))

        return Guard(
            stamina.retry(
                on=on,
                attempts=tries.attempts,
                timeout=tries.max_duration,
                wait_initial=tries.delay,
                wait_max=tries.delay,
                wait_jitter=0,
                wait_exp_base=1,
            )
        )
