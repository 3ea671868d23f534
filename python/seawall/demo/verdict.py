"""Whether protection helped. A demo that can't fail shows nothing."""

from __future__ import annotations

from seawall.demo.figures import Figures

__all__ = ["faults"]

#: What protection owes. Each is far from what a run shows, so that a busy machine fails none.
MORE_SUCCESS = 0.05
CART = 0.95
FEWER_DEAD_HITS = 0.5
WARM = 0.8


def faults(naked: Figures, protected: Figures) -> list[str]:
    """What protection owes the shop, its users and the services, and did not give. Pure."""
    last = {turn.breaker: turn.state for turn in protected.turns}
    owed = {
        f"success rose from {naked.success:.1%} to {protected.success:.1%} only": (
            protected.success >= naked.success + MORE_SUCCESS
        ),
        f"only {protected.cart_down:.1%} of carts were shown while payments were down": (
            protected.cart_down >= CART
        ),
        f"carts were no more available while payments were down: {protected.cart_down:.1%}, "
        f"without protection {naked.cart_down:.1%}": protected.cart_down > naked.cart_down,
        f"the dead services were not spared: {protected.dead_hits} requests, without protection "
        f"{naked.dead_hits}": protected.dead_hits <= FEWER_DEAD_HITS * naked.dead_hits,
        f"the slowest hundredth waited no less: {protected.p99:.2f} s, without protection "
        f"{naked.p99:.2f} s": protected.p99 < naked.p99,
        f"only {protected.warm:.1%} went well when the services were well again": (
            protected.warm >= WARM
        ),
        "no circuit breaker ever opened": bool(last),
        **{
            f"the circuit breaker of {breaker} did not close again: it is {state}": False
            for breaker, state in last.items()
            if state != "closed"
        },
    }
    return [fault for fault, kept in owed.items() if not kept]
