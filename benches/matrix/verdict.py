"""What a scenario can find, and how two findings become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The kinds of result, mildest first."""

    NOT_INSTALLED = "not installed"
    NOT_APPLICABLE = "not applicable"
    RIGHT = "right"
    REFUSED = "refused"
    WRONG = "wrong"
    CRASHED = "crashed"
    HANGS = "hangs"

    @property
    def is_failure(self) -> bool:
        """Whether the library broke the claim, in whichever way."""
        return self in (Verdict.WRONG, Verdict.CRASHED, Verdict.HANGS)


_SEVERITY = list(Verdict)


@dataclass(frozen=True)
class Finding:
    """One verdict, and in a few words what happened."""

    verdict: Verdict
    what: str = ""

    @staticmethod
    def worst(findings: Iterable[Finding]) -> Finding:
        """The most severe finding decides; equals are told together."""
        found = list(findings)
        if not found:
            return Finding(Verdict.NOT_APPLICABLE)
        verdict = max((f.verdict for f in found), key=_SEVERITY.index)
        told = dict.fromkeys(f.what for f in found if f.verdict is verdict and f.what)
        return Finding(verdict, "; ".join(told))


class Verdictful(Exception):
    """Ends a scenario with a finding other than right."""

    verdict: Verdict


class Wrong(Verdictful):
    """The library did something that the claim rules out."""

    verdict = Verdict.WRONG


class Hangs(Verdictful):
    """The library never came back; the scenario noticed before the time limit did."""

    verdict = Verdict.HANGS


class Refused(Verdictful):
    """The library said at once, with an error, that it can't do this."""

    verdict = Verdict.REFUSED


class NotApplicable(Verdictful):
    """The library offers nothing that the claim could be about."""

    verdict = Verdict.NOT_APPLICABLE
