from typing import NamedTuple, Any
class Backoff(NamedTuple):
    kind: str
    base: Any = None
    factor: float = 2.0
    cap: Any = None
    jitter: Any = "none"
    callable: Any = None
def constant(s): return Backoff("constant", s)
def linear(b,*,cap=None,jitter="none"): return Backoff("linear", b, cap=cap, jitter=jitter)
def exponential(b,*,factor=2.0,cap=None,jitter="full"): return Backoff("exponential", b, factor, cap, jitter)
def fibonacci(b,*,cap=None,jitter="none"): return Backoff("fibonacci", b, cap=cap, jitter=jitter)
def custom(c,*,cap=None): return Backoff("custom", cap=cap, callable=c)
