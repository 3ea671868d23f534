"""The judge: what protection owes, each thing by itself; and the figures that it judges by."""

from dataclasses import replace

import pytest
from seawall.demo.figures import figures, quantile
from seawall.demo.seen import Run, Turn
from seawall.demo.verdict import faults


def test_a_good_run_has_no_fault(naked, protected):
    """Protection that helped in every respect is accepted."""
    assert faults(figures(naked), figures(protected)) == []


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        (lambda good, bad: {"success": bad.success + 0.04}, "success rose"),
        (lambda good, bad: {"cart_down": 0.94}, "only 94.0% of carts"),
        (lambda good, bad: {"dead_hits": bad.dead_hits // 2 + 1}, "not spared"),
        (lambda good, bad: {"p99": bad.p99}, "waited no less"),
        (lambda good, bad: {"warm": 0.79}, "only 79.0% went well"),
        (lambda good, bad: {"turns": []}, "no circuit breaker ever opened"),
        (lambda good, bad: {"turns": good.turns[:-1]}, "of recommendations did not close again"),
    ],
)
def test_each_thing_that_is_owed_is_asked_for(worse, said, naked, protected):
    """A run that fails in one respect alone is refused, and that is what is said."""
    bad, good = figures(naked), figures(protected)
    [fault] = faults(bad, replace(good, **worse(good, bad)))
    assert said in fault


def test_protection_that_does_nothing_is_refused(naked):
    """The naked run in both places: everything that is owed is missed, but for the recovery."""
    same = figures(naked)
    assert len(faults(same, same)) == 6


def test_a_cart_that_needs_no_protection_shows_nothing(naked, protected):
    """If carts were always shown, also without protection, the demo has not shown its point."""
    [fault] = faults(replace(figures(naked), cart_down=1.0), figures(protected))
    assert "no more available" in fault


def test_figures_of_a_run(naked, protected):
    """Counted by hand: shares by phase and route, hits while down, amplification, quantiles."""
    bad, good = figures(naked), figures(protected)
    assert bad.by_phase["down"] == {"cart": 0.0, "checkout": 0.0, "product": 0.0}
    assert good.by_phase["down"] == {"cart": 1.0, "checkout": 0.0, "product": 1.0}
    assert (bad.cart_down, good.cart_down) == (0.0, 1.0)
    assert (bad.dead_hits, good.dead_hits) == (30 * 4, 3 * 2)
    assert bad.amplification == pytest.approx((55 * 4 + 25 * 2) / (80 * 2))
    assert good.amplification == pytest.approx((5 * 2 + 25 * 2) / (80 * 2))
    assert (bad.median, bad.p99) == (3.0, 3.0)
    assert sum(good.ends.values()) == good.sent == len(protected.visits)
    assert good.latest == 0.001


def test_a_run_in_which_nothing_happened(naked):
    """No visit, no hit: figures are nought, and nothing is divided by it."""
    nothing = figures(Run("naked", naked.script))
    assert (nothing.success, nothing.p99, nothing.amplification) == (0.0, 0.0, 0.0)
    assert nothing.by_phase["down"]["cart"] is None


def test_turns_are_in_order(protected):
    """What breakers did is told in order of time, in whatever order it was heard."""
    protected.turns.insert(0, Turn(8.0, "payments", "open"))
    assert [turn.at for turn in figures(protected).turns] == [2.0, 2.0, 7.1, 7.1, 7.2, 7.2, 8.0]


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 1), (0.5, 2), (0.51, 3), (0.99, 4), (1.0, 4), (0.25, 1)]
)
def test_quantiles_are_of_the_nearest_rank(part, value):
    """The least of the values that so large a part is not above."""
    assert quantile([1, 2, 3, 4], part) == value
