"""The fallback as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.policies.declared import Declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Fallback", "fallback"]


class Fallback(Declared, _core.Fallback):
    """Answers in the place of calls that failed.

    First from memory, if ``stale`` is given and a good answer to the same call is young enough;
    then by the providers, each asked after the one before it has failed. What answered is the
    call's result, to its caller and to policies further out. If nothing does, the caller gets the
    call's own error, whose ``__context__`` leads to the failures of the providers, the last one
    first.

    Cancellation, Ctrl-C and the like are never answered for, and are what they are while a
    provider runs; limits of time further out hold for providers as well. A generator is answered
    for only before its first item, and by items: a provider gives something that can be iterated.

    The instance is a decorator; `call` and `try_call` protect a single call, and `Outcome.stale`
    says whether memory answered.

    Args:
        *providers: Values, which are the answer; or callables of the exception and then of the
            call's own arguments, which give it (plain functions, for a coroutine function also
            coroutine functions). In the place of an exception they get None if the call returned
            what ``on_result`` says is no good.
        name: Its name in the registry, in events, metrics and errors. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the fallback that has it, whatever its settings.
        **settings: See `FallbackSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a fallback with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "fallback"

    def __new__(
        cls,
        *providers: t.Any,
        name: str | None = None,
        replace: bool = False,
        **settings: t.Unpack[t.FallbackSettings],
    ) -> t.Self:
        """Gives back the fallback of that name, or makes it."""
        declared = {"providers": providers, **settings}

        def make(given: t.Any, named: bool) -> t.Any:
            return super(Fallback, cls).__new__(cls, given, named, declared)

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(
        self,
        *,
        providers: tuple[t.Any, ...] | None = None,
        **changes: t.Unpack[t.FallbackSettings],
    ) -> None:
        """Changes settings in place, for calls that begin from now on. What is remembered is kept.

        None brings a default back; of ``providers`` it changes nothing. ``stale`` can be changed,
        but not be given or taken away. The name goes on to stand for what was declared.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes if providers is None else {"providers": providers, **changes})

    def forget(self) -> None:
        """Forgets every answer that it remembers."""
        self._forget()

    def snapshot(self) -> t.FallbackSnapshot:
        """Its counters at this moment."""
        from seawall.policies.fallback.snapshot import FallbackSnapshot

        return FallbackSnapshot(
            name=self.name,
            settings=self.settings,
            counts=Facts(self._counts()),
            in_flight=self._in_flight,
            remembered=self._remembered,
        )

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        given = self._given()
        facts = self._settings()
        on, ignore = given.get("on"), given.get("ignore")
        facts["on"] = Exception if on is None else on
        facts["ignore"] = () if ignore is None else ignore
        for name in ("on_result", "key", "on_event"):
            facts[name] = given.get(name)
        return Facts(facts)

    def __repr__(self) -> str:
        """Its name, how many there are to ask, and how old an answer may be."""
        seen = self._settings()
        number = len(seen["providers"])
        stale = "" if seen["stale"] is None else f" stale={seen['stale']:g} s"
        return f"<Fallback {self.name!r} {number} provider{'' if number == 1 else 's'}{stale}>"


def fallback(
    *providers: t.Any,
    name: str | None = None,
    replace: bool = False,
    **settings: t.Unpack[t.FallbackSettings],
) -> Fallback:
    """Answers for a function where that fails: ``@fallback(DEFAULT)``, ``@fallback(stale=300)``.

    Takes what `Fallback` takes, and gives back the policy itself, which is the decorator.

    Raises:
        ConfigError: See `Fallback`.
    """
    return Fallback(*providers, name=name, replace=replace, **settings)
