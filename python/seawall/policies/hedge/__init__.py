"""The hedge: a slow call is made once more beside itself, and the first good answer wins."""

from seawall import lazy
from seawall.policies.hedge.policy import Hedge, hedge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.hedge.delays import Quantile, quantile
    from seawall.policies.hedge.events import (
        HedgeEvent,
        HedgeFailed,
        HedgeRefused,
        HedgeStarted,
        HedgeWon,
    )
    from seawall.policies.hedge.settings import HedgeSettings
    from seawall.policies.hedge.snapshot import HedgeSnapshot

__all__ = [
    "Hedge",
    "HedgeEvent",
    "HedgeFailed",
    "HedgeRefused",
    "HedgeSettings",
    "HedgeSnapshot",
    "HedgeStarted",
    "HedgeWon",
    "Quantile",
    "hedge",
    "quantile",
]

_EVENTS = ("HedgeEvent", "HedgeFailed", "HedgeRefused", "HedgeStarted", "HedgeWon")
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(_EVENTS, f"{__name__}.events"),
        "HedgeSettings": f"{__name__}.settings",
        "HedgeSnapshot": f"{__name__}.snapshot",
        "Quantile": f"{__name__}.delays",
        "quantile": f"{__name__}.delays",
    },
)
