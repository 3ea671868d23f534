"""A small HTTP service that falls ill by script and gets well again, in a process of its own.

It answers at once while it is healthy. While it is ill, each request takes `SICK_SECONDS` and ends
in a 503. Right after, while it recovers, it is slow but answers.

    /start   the script's clock starts
    /work    what the callers want
    /stats   how many requests reached it while it was ill
"""

import argparse
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SICK_SECONDS = 0.25
SLOW_SECONDS = 0.03


class Service(ThreadingHTTPServer):
    """The server with its script: ill from `falls_ill` to `recovers`, in seconds after the start.

    After `recovers` it is slow for as long as it was ill.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, falls_ill: float, recovers: float) -> None:
        """Listens on a free port of this machine."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.falls_ill = falls_ill
        self.recovers = recovers
        self.started = time.monotonic()
        self._lock = threading.Lock()
        self.sick_hits = 0

    def work(self) -> int:
        """Serves one request as the script says; returns the status."""
        now = time.monotonic() - self.started
        if self.falls_ill <= now < self.recovers:
            with self._lock:
                self.sick_hits += 1
            time.sleep(SICK_SECONDS)
            return 503
        if self.recovers <= now < 2 * self.recovers - self.falls_ill:
            time.sleep(SLOW_SECONDS)
        return 200


class Handler(BaseHTTPRequestHandler):
    """Routes the three paths."""

    server: Service

    def do_GET(self) -> None:
        """Answers one request."""
        status, body = 200, b"ok\n"
        if self.path == "/start":
            self.server.started = time.monotonic()
        elif self.path == "/stats":
            body = b"%d\n" % self.server.sick_hits
        else:
            status = self.server.work()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing: the callers' table is the output."""


def main() -> None:
    """Prints the port, then serves until it is stopped."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("falls_ill", type=float)
    arguments.add_argument("recovers", type=float)
    service = Service(**vars(arguments.parse_args()))
    print(service.server_port, flush=True)
    service.serve_forever()


if __name__ == "__main__":
    main()
