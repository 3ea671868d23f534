"""A server's process: started, killed, stopped, let go on, started again on the same data."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

_WATCH = Path(__file__).with_name("watch.py")


class Server(ABC):
    """One server. Subclasses say by which command it is started, and what shows it to be ready."""

    #: What ends it at once without a trace.
    end = "SIGKILL"
    #: The user it runs as; None: whoever runs the tests.
    user: int | None = None

    def __init__(self):
        """Starts it, and waits until it is ready."""
        # Not in pytest's folder: a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="seawall-"))
        self._watch = subprocess.Popen(
            [sys.executable, "-I", "-S", _WATCH, self.folder, self.end],
            stdin=subprocess.PIPE,
            text=True,
        )
        self._process = None
        try:
            self.prepare()
            self.port = _free_port()
            self.restart()
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def command(self):
        """The command that starts it on its port and folder."""

    @abstractmethod
    def prepare(self):
        """Makes what it needs in its folder before it is first started."""

    @abstractmethod
    def is_ready(self):
        """Whether it answers."""

    def restart(self):
        """Starts it again, with the same port and data, and waits until it is ready."""
        self.kill()
        self.start()
        self.wait()

    def start(self):
        """Starts it, and does not wait."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [os.fspath(part) for part in self.command()],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )
        self._watch.stdin.write(f"{self._process.pid}\n")
        self._watch.stdin.flush()

    def wait(self):
        """Waits until it answers."""
        end = time.monotonic() + 50
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.command()[0]} did not start:\n{self.log()}")
            # Real time: another process gets ready.
            time.sleep(0.005)

    def log(self):
        """What it said."""
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def pids(self):
        """Its process and the processes of its own, the first one first."""
        return [self._process.pid, *_children(self._process.pid)]

    def signal(self, number):
        """Sends a signal to all of its processes."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        """Kills it as a power cut does: all of it at once, nothing is put in order."""
        if self._process is None:
            return
        if self._process.poll() is None:
            # It begins no further process, which nobody would know of, while they are listed.
            self._process.send_signal(signal.SIGSTOP)
        pids = self.pids()
        self.signal(signal.SIGKILL)
        self._process.wait(30)
        end = time.monotonic() + 30
        while any(map(_is_alive, pids[1:])):
            if time.monotonic() > end:
                raise RuntimeError(f"processes of {self.command()[0]} do not end")
            # Real time: other processes end. What they hold, a new server would stumble over.
            time.sleep(0.001)

    def pause(self):
        """Stops it: it holds its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        """Lets it go on where it was stopped."""
        self.signal(signal.SIGCONT)

    def stop(self):
        """Ends it for good, and removes its data."""
        if self._watch.stdin.closed:
            return
        if self._process is not None:
            self.resume()
        with contextlib.suppress(BrokenPipeError):
            # A word, and not only the end of the pipe: forked children have it open as well.
            self._watch.communicate("end\n", timeout=30)
        self._watch.wait(30)
        if self._process is not None:
            self._process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.stop()


def executable(path, wheel):
    """A server's program; an error that names the wheel which brings it if there is none."""
    if not path.is_file():
        raise RuntimeError(
            f"there is no {path}: install {wheel} (pip install -r requirements/test.txt)"
        )
    return path


def package(name):
    """The folder of a package, which is not imported."""
    found = importlib.util.find_spec(name)
    if found is None:
        raise RuntimeError(f"{name} is missing: pip install -r requirements/test.txt")
    return Path(found.submodule_search_locations[0])


def unprivileged():
    """The id of a user without rights if the tests run as root, whom some servers refuse."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    return pwd.getpwnam("nobody").pw_uid


def reachable(folder, copy):
    """The folder, if every user may go there; else the copy that is made of it."""
    folder = folder.resolve()
    if all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents)):
        return folder
    return Path(shutil.copytree(folder, copy, symlinks=True))


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _is_alive(pid):
    """Whether it has not ended, waited for or not."""
    if sys.platform.startswith("linux"):
        try:
            said = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return said.rpartition(")")[2].split()[0] not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if sys.platform.startswith("linux"):
        try:
            return [int(child) for child in listed.read_text().split()]
        except FileNotFoundError:
            return []
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]
