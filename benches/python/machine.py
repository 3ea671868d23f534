"""Where a run took place: facts for the report, pinning, resident memory.

Nothing that tells a path, a host name or a user goes into the facts: reports are published.
"""

import contextlib
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def facts(distributions: list[str]) -> dict[str, str]:
    """What a reader needs to judge the figures."""
    said = {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} logical",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Python build": ", ".join(_build_flags()),
        "load when started": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?",
    }
    return said | {name: _version(name) for name in distributions}


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _build_flags() -> list[str]:
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimised = "--enable-optimizations" in arguments
    return [
        platform.python_compiler(),
        "profile-guided" if optimised else "not profile-guided",
        "link-time optimised" if "--with-lto" in arguments else "no link-time optimisation",
        "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with GIL",
        *(["debug build"] if hasattr(sys, "gettotalrefcount") else []),
    ]


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def pinned(cpu: int | None = None) -> Iterator[int | None]:
    """Holds this process on one core (the last one it may use) where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed) if cpu is None else cpu
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def unpinned() -> Iterator[None]:
    """Lets this process, its threads and its children use every core again."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    held = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    try:
        yield
    finally:
        os.sched_setaffinity(0, held)


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
