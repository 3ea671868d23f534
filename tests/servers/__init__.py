"""Real servers for tests, which start them when they need them: Valkey and PostgreSQL.

Each listens on a free port of this machine only, keeps its data in a folder of its own, and is gone
with the process that started it, however that ends.

- `tests.servers.process`: a server's process, which can be killed, stopped and started again.
- `tests.servers.watch`: the program that ends it when nobody is left to do so.
- `tests.servers.valkey`, `tests.servers.postgresql`: how each is started, and when it is ready.
"""

from tests.servers.postgresql import Postgres
from tests.servers.valkey import Valkey

__all__ = ["Postgres", "Valkey"]
