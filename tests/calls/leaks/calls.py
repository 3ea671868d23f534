"""Paths of calls."""

import contextlib
import copy
import pickle

import seawall

from tests.calls.leaks.subject import Subject, TroubleError, look, run


class Calls(Subject):
    """Plain functions, outcomes, what is decorated."""

    def success(self):
        """Returns, positional and keyword arguments."""
        self.good(self.argument, key=self.argument)

    def success_through_six(self):
        """Passes more policies than a coroutine keeps in place."""
        self.tall(self.argument)
        run(self.tall_later(self.argument))

    def failure(self):
        """Raises."""
        try:
            self.bad(self.argument)
        except TroubleError:
            self.breaker.reset()

    def rejection(self):
        """Is refused."""
        with contextlib.suppress(seawall.Rejected):
            self.refused(self.argument)

    def decorated_and_thrown_away(self):
        """Decorates, calls once, forgets."""
        self.breaker(lambda: self.result)()

    def refused_to_decorate(self):
        """Is refused at decoration."""
        with contextlib.suppress(seawall.ConfigError):
            self.breaker(7)

    def once(self):
        """`call`, both kinds."""
        self.breaker.call(self.work, self.argument, key=self.argument)
        run(self.breaker.call(self.work_later, self.argument))

    def captured(self):
        """`try_call` with each end, both kinds, everything looked at."""
        for breaker in (self.breaker, self.shut):
            for function in (self.work, self.fail):
                look(breaker.try_call(function, self.argument))
            for function in (self.work_later, self.fail_later):
                look(run(breaker.try_call(function, self.argument)))
        self.breaker.reset()

    def bound(self):
        """Binds methods and forgets them."""
        self.good.__get__(self, Calls)

    def bound_as_it_says(self):
        """Binds what has a `__get__` of its own, and calls that."""
        self.binding.__get__(self.argument, object)()
        self.binding.__get__(None, object)

    def asked(self):
        """Fails with one error, which predicates raise again, returned and raised."""
        for function in (self.judged, self.judged_once_more):
            with contextlib.suppress(TroubleError):
                function(self.argument)
        self.asking.reset()

    def attributes(self):
        """Sets what goes to the function, and what is refused."""
        self.settable.__defaults__ = (self.argument,)
        self.settable.__defaults__ = None
        self.settable.__code__ = self.settable.__code__
        with contextlib.suppress(TypeError):
            self.settable.__code__ = Calls.work_later.__code__

    def carried(self):
        """Pickles outcomes of all sorts, copies one, raises what has arrived."""
        for breaker, function in ((self.breaker, int), (self.breaker, fail), (self.shut, int)):
            outcome = breaker.try_call(function)
            arrived = pickle.loads(pickle.dumps(outcome))
            look(arrived)
            copy.deepcopy(arrived)
        self.breaker.reset()


def fail():
    """Fails."""
    raise TroubleError
