"""What an outcome says about the service that was called, for the clients people use.

- `seawall.clients.statuses`: the numbers and codes with which services answer.
- `seawall.clients.classes`: the exception classes with which clients fail.
- `seawall.clients.signs`: reads either out of any object, importing no client.
- `seawall.clients.within`: the errors inside of an error.
- `seawall.clients.health`, `seawall.clients.transience`: the predicates built on them.
- `seawall.clients.retry_after`: how long an answer asks its client to wait.
- `seawall.clients.headers`, `seawall.clients.dates`: what it is read from.
"""

from seawall.clients.health import unhealthy
from seawall.clients.transience import transient

__all__ = ["transient", "unhealthy"]
