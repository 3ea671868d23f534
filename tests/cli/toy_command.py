"""A command to try the command line on."""

import json

from seawall import ConfigError
from seawall.cli.exits import CommandError, Exit


def declare(parser):
    """How it is to end."""
    parser.add_argument("end", choices=["well", "partly", "store", "nothing", "config", "ctrl-c"])


def run(arguments):
    """Ends so."""
    match arguments.end:
        case "partly":
            return Exit.PARTIAL
        case "store":
            raise CommandError(Exit.STORE_UNAVAILABLE, "no answer from redis")
        case "nothing":
            raise CommandError(Exit.NOTHING_MATCHED, "no such queue", ["mail", "sms"])
        case "config":
            raise ConfigError("breaker", [("min_calls", "0", "must be at least 1", None)])
        case "ctrl-c":
            raise KeyboardInterrupt
    if arguments.json:
        print(json.dumps({"end": arguments.end}))
    else:
        print("it ended well")
    return Exit.OK
