"""``seawall idempotency``: what a store keeps of operations, and what is decided of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from seawall.cli import stores, tables
from seawall.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from seawall._core import Address
    from seawall.stores import Record, Store

__all__ = ["declare", "run"]

STATES = ("in_progress", "completed", "failed", "released", "quarantined", "dead")
WAITING = "the operations that wait for a decision are quarantined, dead, or lost by their owners"


def declare(parser: argparse.ArgumentParser) -> None:
    """Its subcommands and their arguments."""
    parser.description = "Looks at the operations that a store keeps, and decides about them."
    below = parser.add_subparsers(metavar="WHAT", required=True, dest="what")

    def verb(name: str, summary: str, description: str) -> argparse.ArgumentParser:
        theirs = below.add_parser(name, help=summary, description=description)
        stores.declare(theirs)
        theirs.add_argument(
            "--scope", type=tables.kept_text, help="of this operation only, as ls shows it"
        )
        return theirs

    ls = verb("ls", "lists operations", "Lists what is kept, never what a result is.")
    ls.add_argument("--state", choices=STATES, help="in this state only")
    ls.add_argument("--limit", type=_number, default=1000, help="how many (default: 1000)")

    show = verb("show", "shows an operation", "Shows what is kept of an operation.")
    show.add_argument("key", metavar="KEY", help="as ls shows it")
    show.add_argument(
        "--payload", action="store_true", help="its result too, as it is kept: anybody's data"
    )

    release = verb(
        "release",
        "lets operations run again",
        "Decides that operations had no effect and may be run again. " + WAITING.capitalize() + ".",
    )
    _keys(release)
    resolve = verb(
        "resolve",
        "says that operations took effect",
        "Decides that operations took effect, with a result that their callers are told from now "
        "on. " + WAITING.capitalize() + ".",
    )
    _keys(resolve)
    resolve.add_argument(
        "--result", default="null", metavar="JSON", help="that result (default: null)"
    )
    for destructive in (release, resolve):
        destructive.add_argument("--yes", action="store_true", help="do it; else it is only said")

    verb("gc", "removes what has expired", "Removes what has expired. It is nothing to anybody.")
    verb("stats", "counts operations", "Counts the operations in each state; looks at all of them.")


def run(arguments: argparse.Namespace) -> Exit:
    """Does it.

    Raises:
        CommandError: It can't go on.
    """
    verbs = {
        "ls": _ls,
        "show": _show,
        "release": _release,
        "resolve": _resolve,
        "gc": _gc,
        "stats": _stats,
    }
    with stores.opened(arguments) as store:
        return verbs[arguments.what](store, arguments)


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", metavar="KEY", nargs="*", help="as ls shows them")
    parser.add_argument("--state", choices=("quarantined", "dead"), help="all in this state")


def _ls(store: Store, arguments: argparse.Namespace) -> Exit:
    shown: list[dict[str, object]] = []
    more = False
    for record in store.list(scope=arguments.scope, state=arguments.state):
        if len(shown) == arguments.limit:
            more = True
            break
        shown.append(tables.fields(record))
    if arguments.json:
        tables.as_json({"records": shown, "more": more})
    elif shown:
        tables.table(shown, ("scope", "key", "state", "attempts", "created", "expires", "size"))
        if more:
            tables.note(f"there are more than {arguments.limit}: say --limit, --scope or --state")
    if not shown:
        return _nothing(arguments, f"{store.name} keeps no such operation")
    return Exit.OK


def _show(store: Store, arguments: argparse.Namespace) -> Exit:
    address = _address(store, arguments, arguments.key)
    record = store.get(address)
    if record is None:
        message = f"{store.name} keeps nothing of {arguments.key!a} in the scope {address.scope!a}"
        if arguments.scope is None:
            message += ": say --scope, as ls shows it"
        raise CommandError(Exit.NOTHING_MATCHED, message)
    shown = tables.fields(record, payload=arguments.payload)
    if arguments.json:
        tables.as_json(shown)
    else:
        tables.pairs(shown)
    return Exit.OK


def _release(store: Store, arguments: argparse.Namespace) -> Exit:
    return _decide(store, arguments, store.release, "released: it may be run again")


def _resolve(store: Store, arguments: argparse.Namespace) -> Exit:
    from seawall.codecs import AsAnnotated, Results
    from seawall.codecs.errors import EncodeError

    # Callers get what their function says that it returns, not its JSON.
    result = AsAnnotated(tables.read_json(arguments.result, "--result"))
    try:
        Results(expected=AsAnnotated).encode(result)
    except EncodeError as error:
        # Before anything is decided, not at the first of many.
        raise CommandError(Exit.USAGE, f"--result can't be kept: {error}") from error
    return _decide(
        store,
        arguments,
        lambda address: store.resolve(address, result),
        "resolved: its callers are told this result",
    )


def _decide(
    store: Store, arguments: argparse.Namespace, decide: tables.Deciding, done: str
) -> Exit:
    """Decides of each, and says what became of it."""
    from seawall.stores.errors import NotResolvableError, StoreError

    if bool(arguments.keys) == bool(arguments.state):
        raise CommandError(Exit.USAGE, f"say which: keys, or a --state; {WAITING}")
    if arguments.state:
        chosen: list[Address] = [
            _of(store, record)
            for record in store.list(scope=arguments.scope, state=arguments.state)
        ]
    else:
        chosen = [_address(store, arguments, key) for key in arguments.keys]
    rows: list[dict[str, object]] = []
    failed = 0
    for address in chosen:
        row: dict[str, object] = {
            "scope": tables.printable(address.scope),
            "key": tables.key(address),
        }
        if not arguments.yes:
            kept = store.get(address)
            became = "nothing is kept" if kept is None else f"would be decided: it is {kept.state}"
        else:
            try:
                decide(address)
                became = done
            except NotResolvableError as error:
                failed += 1
                became = "nothing is kept" if error.state is None else f"is {error.state}: left"
            except StoreError as error:
                # What was decided before is not for nothing: it is said, and this with it.
                if failed == len(rows):
                    raise
                failed += 1
                became = str(error)
        rows.append(row | {"became": became})
    if arguments.json:
        tables.as_json({"decided": rows if arguments.yes else [], "asked": rows, "failed": failed})
    elif rows:
        tables.table(rows, ("scope", "key", "became"))
    if not rows:
        return _nothing(arguments, f"{store.name} keeps no operation that is {arguments.state}")
    if not arguments.yes:
        if not arguments.json:
            tables.note("nothing was done: say --yes to do it")
        return Exit.USAGE
    if failed == len(rows):
        return Exit.NOTHING_MATCHED
    return Exit.PARTIAL if failed else Exit.OK


def _gc(store: Store, arguments: argparse.Namespace) -> Exit:
    removed = store.gc(scope=arguments.scope)
    if arguments.json:
        tables.as_json({"removed": removed})
    else:
        tables.say(f"removed {removed} that had expired")
    return Exit.OK


def _stats(store: Store, arguments: argparse.Namespace) -> Exit:
    stats = store.stats(scope=arguments.scope)
    counted: dict[str, object] = {str(state): number for state, number in stats.by_state.items()}
    counted |= {"expired": stats.expired, "total": stats.total}
    if arguments.json:
        tables.as_json(counted)
    else:
        tables.pairs(counted)
    return Exit.OK


def _nothing(arguments: argparse.Namespace, message: str) -> Exit:
    if not arguments.json:
        tables.note(message)
    return Exit.NOTHING_MATCHED


def _address(store: Store, arguments: argparse.Namespace, key: str) -> Address:
    return store.address(arguments.scope or "", tables.kept_key(key))


def _of(store: Store, record: Record) -> Address:
    return store.address(record.scope, record.key.encode("utf-8", "surrogateescape"))


def _number(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of at least 1")
    return number
