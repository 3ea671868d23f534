"""What a call costs that fails, and one that is rejected."""

from collections.abc import Callable

from benches.python.functions import MakeDecorator, always, failing, nothing, one, pass_through
from benches.python.harness import AGAIN, BARE, Race, Setup
from benches.python.ours import pipeline

from . import names, ours
from .peers import PEERS
from .sync_calls import Entries

FAILURE = "sync failure"
REJECTION = "sync rejection"

RUN_OF_FAILURES = 32
FAIL = "try:\n    f(x)\nexcept ValueError:\n    pass"
CATCH = "try:\n    f(x)\nexcept Exception:\n    pass"


def failures() -> Entries:
    """The exception goes through. An untimed success stands before each 32 failures."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        def setup() -> Setup:
            decorate = make()
            return Setup(
                FAIL, f=decorate(failing), g=decorate(one), prelude="g(x)", unroll=RUN_OF_FAILURES
            )

        return setup

    peers = {peer.name: peer.closed for peer in PEERS if peer.closed is not None}
    made: dict[str, MakeDecorator] = {
        BARE: always(nothing),
        AGAIN: always(nothing),
        names.PY_WRAPPER: always(pass_through),
        names.FLOOR: pipeline,
    }
    return {name: entry(make) for name, make in (made | ours.tolerant() | peers).items()}


def rejections() -> Entries:
    """The circuit is open; bare is a function that raises."""

    def entry(
        make: MakeDecorator, between: Callable[[], None] | None = None
    ) -> Callable[[], Setup]:
        return lambda: Setup(CATCH, f=make()(one), between=between)

    return {
        BARE: lambda: Setup(CATCH, f=failing),
        AGAIN: lambda: Setup(CATCH, f=failing),
        names.OPENED: entry(ours.opened),
        names.FORCED: entry(ours.forced),
        names.TRY_CALL: lambda: Setup("o.try_call(f, x)", f=one, o=ours.opened()),
        **{
            peer.name: entry(peer.opened, peer.between) for peer in PEERS if peer.opened is not None
        },
    }


RACES = [
    Race(FAILURE, "The function raises a fresh `ValueError`, which goes through.", failures()),
    Race(
        REJECTION,
        "The circuit is open. Bare raises and catches; `try_call` hands back an `Outcome`.",
        rejections(),
    ),
]
