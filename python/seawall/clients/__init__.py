"""What an outcome says about the service that was called, for the clients people use.

- `seawall.clients.statuses`: the numbers and codes with which services answer.
- `seawall.clients.classes`: the exception classes with which clients fail.
- `seawall.clients.signs`: reads either out of any object, importing no client.
- `seawall.clients.health`: the predicate built on them.
"""

from seawall.clients.health import unhealthy

__all__ = ["unhealthy"]
