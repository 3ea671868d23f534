"""Services on loopback that are well, ill, slow, broken or not there."""

import contextlib
import http.server
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass

import grpc
import pytest


class Answers(http.server.BaseHTTPRequestHandler):
    """`/503` answers 503, `/slow` never answers, `/cut` hangs up in the middle of the body.

    What follows a question mark is sent as headers.
    """

    closing = threading.Event()

    def do_GET(self) -> None:
        """Answers by the first word of the path."""
        path, _, query = self.path.partition("?")
        word = path.strip("/").partition("/")[0]
        asked = urllib.parse.parse_qsl(query)
        if word == "slow":
            self.closing.wait()
            self.close_connection = True
            return
        self.send_response_only(int(word) if word.isdigit() else 200)
        for name, value in asked:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "100" if word == "cut" else "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A server that does not mind clients that hang up."""

    def handle_error(self, *_: object) -> None:
        """Says nothing."""


@dataclass
class Service:
    """Where things are."""

    web: int
    refusing: int
    silent: int
    babbling: int

    def url(self, mode: str) -> str:
        """The address that fails in this way, or answers with this status."""
        return {
            "refused": f"http://127.0.0.1:{self.refusing}/",
            "dns": "http://nowhere.invalid/",
            "garbage": f"http://127.0.0.1:{self.babbling}/",
            "tls": f"https://127.0.0.1:{self.web}/200",
        }.get(mode, f"http://127.0.0.1:{self.web}/{mode}")


def babble(listener: socket.socket) -> None:
    """Answers whatever comes with something that is no HTTP."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"what is it you want\r\n\r\n")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A web server and three ports that are no good."""
    web = Server(("127.0.0.1", 0), Answers)
    web.daemon_threads = True
    serving = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    # Bound but not listening: the port refuses, and nobody else can take it.
    with socket.socket() as refusing, socket.socket() as silent, socket.socket() as babbling:
        for each in (refusing, silent, babbling):
            each.bind(("127.0.0.1", 0))
        silent.listen()
        babbling.listen()
        babbler = threading.Thread(target=babble, args=(babbling,))
        serving.start()
        babbler.start()
        ports = [each.getsockname()[1] for each in (refusing, silent, babbling)]
        yield Service(web.server_port, *ports)
        Answers.closing.set()
        web.shutdown()
        web.server_close()
        serving.join()
        babbling.shutdown(socket.SHUT_RDWR)
        babbler.join()


class Codes(grpc.GenericRpcHandler):
    """`/codes/NOT_FOUND` answers NOT_FOUND; `/codes/raise` raises.

    Metadata whose names begin with `send-` come back as trailing metadata, without it.
    """

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """A handler for whatever method is asked for."""
        name = handler_call_details.method.rpartition("/")[2]
        trailing = tuple(
            (key.removeprefix("send-"), value)
            for key, value in handler_call_details.invocation_metadata
            if key.startswith("send-")
        )

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if name == "raise":
                raise RuntimeError("a bug in the handler")
            context.set_trailing_metadata(trailing)
            context.abort(grpc.StatusCode[name], name)
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture(scope="module")
def codes() -> Iterator[str]:
    """A gRPC server that answers every code."""
    with futures.ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[Codes()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()
