"""An order over HTTP whose reply gets lost: the client tries again, and one order is placed.

The client sends a key of its own making with each order, the same for every try. The service places
an order once for each key, and answers all tries alike.

    python examples/lost_reply.py
"""

import json
import threading
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import seawall

store = seawall.open_store("memory://")  # a service with several processes needs another
placed: list[str] = []
replies_to_lose = 1


class Service(BaseHTTPRequestHandler):
    """Places orders."""

    def do_POST(self) -> None:
        """One order, once for its key."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = place(self.headers["Idempotency-Key"], body)
        global replies_to_lose  # noqa: PLW0603 - stands for the network's mood
        if replies_to_lose:
            replies_to_lose -= 1
            self.close_connection = True
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name is given
        """Says nothing."""


def place(key: str, body: dict[str, str]) -> dict[str, Any]:
    """Places an order. The same key with another body is refused."""
    with seawall.idempotency_key(key, store=store, name="place", payload=body) as claim:
        if claim.replayed:
            print("  service: placed before, the same answer again")
            answer: dict[str, Any] = claim.result
            return answer
        print("  service: placed", body["item"])
        placed.append(body["item"])
        answer = {"number": len(placed), "item": body["item"]}
        claim.complete(answer)
        return answer


@seawall.retry("orders", attempts=3, backoff=seawall.constant(0.01))
def send(url: str, key: str, item: str) -> dict[str, Any]:
    """Sends an order; tries again if there is no answer, for that does no harm."""
    print("client: orders", item)
    request = urllib.request.Request(
        url,
        data=json.dumps({"item": item}).encode(),
        headers={"Idempotency-Key": key},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        answer: dict[str, Any] = json.load(reply)
        return answer


with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answer = send(f"http://127.0.0.1:{server.server_port}/", str(uuid.uuid4()), "Moby-Dick")
    server.shutdown()

print("client: got", answer)
assert placed == ["Moby-Dick"]
