"""`seawall idempotency` and `seawall store`: what operators see and do."""

import json
import re

import pytest
import seawall
from seawall._core import Op, Terms
from seawall.cli.main import main
from seawall.cli.tables import kept_key


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A store's URL; the environment names it."""
    url = f"sqlite:///{tmp_path}/s.db"
    monkeypatch.setenv("SEAWALL_STORE", url)
    return url


@pytest.fixture
def store(url):
    """It holds one operation in each of four states, and one of another scope."""
    with seawall.open_store(url) as store:
        for scope, key, end in [
            ("pay", "done", "complete"),
            ("pay", "lost", "quarantine"),
            ("pay", "lost2", "quarantine"),
            ("pay", "runs", None),
            ("mail", "free", "release"),
        ]:
            claim = Op.claim(store.address(scope, key.encode()), Terms())
            fence = store.call(claim).fence
            if end == "complete":
                store.call(claim.complete(fence, 1, b"\xa6secret"))
            elif end:
                store.call(getattr(claim, end)(fence))
        yield store


def run(capsys, *words):
    """The exit code and what was printed, as JSON."""
    code = main(["idempotency", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_file_that_is_not_there_is_not_made(tmp_path, capsys):
    """A path with a typo is no store, and is none afterwards."""
    path = tmp_path / "typo.db"
    code = main(["idempotency", "ls", "--store", f"sqlite:///{path}?durability=relaxed"])
    assert code == 3
    assert f"there is no store in {path}" in capsys.readouterr().err
    assert not path.exists()


def test_a_list(store, capsys):
    """All of it, of one scope, in one state; a table when it is for people."""
    code, listed = run(capsys, "ls")
    found = [(each["scope"], each["key"], each["state"]) for each in listed["records"]]
    assert (code, listed["more"]) == (0, False)
    # In the order in which they are kept: by scope, then by key.
    assert found == [
        ("pay", "done", "completed"),
        ("pay", "lost", "quarantined"),
        ("pay", "lost2", "quarantined"),
        ("pay", "runs", "in_progress"),
        ("mail", "free", "released"),
    ]
    _, listed = run(capsys, "ls", "--state", "quarantined", "--limit", "1")
    assert ([each["key"] for each in listed["records"]], listed["more"]) == (["lost"], True)
    assert run(capsys, "ls", "--scope", "nothing")[0] == 4
    assert main(["idempotency", "ls", "--scope", "mail"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"SCOPE  KEY   STATE     ATTEMPTS  CREATED .*\nmail   free  released  1  ", out)


def test_payloads_are_not_shown(store, capsys):
    """A result is only shown by `show --payload`."""
    main(["idempotency", "ls", "--json"])
    main(["idempotency", "ls"])
    main(["idempotency", "show", "done", "--scope", "pay"])
    main(["idempotency", "show", "done", "--scope", "pay", "--json"])
    out = capsys.readouterr().out
    assert "secret" not in out
    assert "pnNlY3JldA==" not in out
    code, shown = run(capsys, "show", "done", "--scope", "pay", "--payload")
    assert (code, shown["payload"], shown["size"]) == (0, "pnNlY3JldA==", 7)
    assert run(capsys, "show", "none", "--scope", "pay")[0] == 4


def test_a_decision_needs_a_yes(store, capsys):
    """Without `--yes` nothing is done, and what would be is said."""
    code, said = run(capsys, "release", "lost", "--scope", "pay")
    assert (code, said["decided"]) == (2, [])
    assert "would be decided" in said["asked"][0]["became"]
    assert store.get("lost", scope="pay").state == "quarantined"
    assert run(capsys, "release", "lost", "--scope", "pay", "--yes")[0] == 0
    assert store.get("lost", scope="pay").state == "released"


def test_a_result_is_given(store, capsys):
    """`resolve` gives those that are quarantined a result, which their callers are told."""
    words = ["resolve", "--state", "quarantined", "--result", '{"charge": 7}', "--yes"]
    code, said = run(capsys, *words)
    assert (code, said["failed"], len(said["decided"])) == (0, 0, 2)
    for key in ("lost", "lost2"):
        reply = store.call(Op.claim(store.address("pay", key.encode()), Terms()))
        assert reply.kind == "replay"
        assert seawall.codecs.Results().decode(reply.codec, reply.data) == {"charge": 7}
    assert run(capsys, *words)[0] == 4


def test_some_can_not_be_decided(store, capsys):
    """What could not be decided is said; that is a failure in part, or nothing that matched."""
    words = ["--scope", "pay", "--yes"]
    code, said = run(capsys, "release", "lost", "runs", "none", *words)
    assert (code, said["failed"]) == (1, 2)
    assert [each["became"] for each in said["decided"]][1:] == [
        "is in_progress: left",
        "nothing is kept",
    ]
    assert run(capsys, "release", "runs", *words)[0] == 4


@pytest.mark.parametrize(
    "words",
    [
        ["release", "--yes"],
        ["release", "a", "--state", "dead", "--yes"],
        ["resolve", "a", "--result", "{", "--yes"],
        ["resolve", "lost", "--scope", "pay", "--result", "[" * 200 + "]" * 200, "--yes"],
        ["resolve", "lost", "--scope", "pay", "--result", "[" * 50_000, "--yes"],
        ["ls", "--limit", "many"],
        ["ls", "--state", "done"],
        ["ls", "--limit", "0"],
        ["ls", "--store", "memory://"],
        ["ls", "--store", "sqlite://host/x"],
        ["show"],
        [],
    ],
)
def test_wrong_usage(store, words, capsys):
    """It is said what is wrong, and nothing is done."""
    assert main(["idempotency", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("seawall: ")
    assert "_number" not in err
    assert store.get("lost", scope="pay").state == "quarantined"


def test_no_store(capsys, monkeypatch):
    """Which store is always said; its URL may be in the environment."""
    monkeypatch.delenv("SEAWALL_STORE", raising=False)
    assert main(["idempotency", "stats"]) == 2
    assert "SEAWALL_STORE" in capsys.readouterr().err


def test_a_store_that_is_not_there(tmp_path, capsys):
    """Exit code 3, and no password in what is said."""
    words = ["stats", "--store", "redis://:hunter2@localhost:1", "--timeout", "0.5"]
    code, said = run(capsys, *words)
    assert (code, said["error"]["kind"]) == (3, "store_unavailable")
    assert "hunter2" not in str(said)
    for wrong in ("postgresql://me:hun?ter2@host/db", "postgresql://host/db?password=hunter2"):
        code, said = run(capsys, "stats", "--store", wrong)
        assert code == 2
        assert "ter2" not in str(said)
    folder = f"sqlite:///{tmp_path}/none/s.db"
    assert run(capsys, "stats", "--store", folder)[0] == 3


def test_it_is_counted_and_swept(store, capsys):
    """`stats` counts, `gc` removes what has expired."""
    code, counted = run(capsys, "stats")
    assert (code, counted["quarantined"], counted["total"], counted["expired"]) == (0, 2, 5, 0)
    assert run(capsys, "stats", "--scope", "mail")[1]["total"] == 1
    assert run(capsys, "stats", "--namespace", "other")[1]["total"] == 0
    terms = Terms({"lease": 0.001, "max_lease": 0.001, "ttl": 0.001})
    store.call(Op.claim(store.address("pay", b"old"), terms))
    while store.get("old", scope="pay") is not None:
        pass  # a millisecond of the store's own time
    assert run(capsys, "gc") == (0, {"removed": 1})
    assert main(["idempotency", "gc"]) == 0
    assert capsys.readouterr().out == "removed 0 that had expired\n"


@pytest.mark.parametrize("key", ["a\nb", "\x1b[31m", "back\\slash", "é漢", "\udc80", "\\x41", " "])
def test_a_key_that_a_terminal_would_obey(url, key, capsys):
    """It is shown as escapes, and found by what is shown."""
    kept = key.encode("utf-8", "surrogateescape")
    with seawall.open_store(url) as store:
        store.call(Op.claim(store.address("", kept), Terms()))
    _, listed = run(capsys, "ls")
    shown = listed["records"][0]["key"]
    assert shown.isprintable()
    assert kept_key(shown) == kept
    assert run(capsys, "show", shown)[0] == 0


def test_a_scope_that_a_terminal_would_obey(url, capsys):
    """It is shown as escapes, and given back as it is shown; a scope left out is asked for."""
    with seawall.open_store(url) as store:
        store.call(Op.claim(store.address("\x1b[31mpay", b"a"), Terms()))
    assert main(["idempotency", "ls"]) == 0
    assert "\\x1b[31mpay  a " in capsys.readouterr().out
    assert main(["idempotency", "show", "a", "--scope", "\\x1b[31mpay"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["idempotency", "show", "a"]) == 4
    assert "say --scope" in capsys.readouterr().err


def test_a_server_that_may_lose_records(postgres_url, capsys):
    """What is told of a server is a line beside the output, and the command goes on."""
    # The tests' own does not wait for the disk.
    words = ["idempotency", "stats", "--json", "--store", postgres_url]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["total"] >= 0
    assert re.fullmatch(r"seawall: store postgresql://.*: fsync is off: .*\n", err)


def test_the_store_goes_in_the_middle(store, capsys, monkeypatch):
    """What was decided before is said, and is a failure in part; if nothing was, it is code 3."""
    release = seawall.Store.release

    def broken(self, address):
        if address.key in gone:
            raise seawall.StoreError(self.name, "gone")
        release(self, address)

    monkeypatch.setattr(seawall.Store, "release", broken)
    gone = {b"lost2"}
    code, said = run(capsys, "release", "lost", "lost2", "--scope", "pay", "--yes")
    assert (code, said["failed"]) == (1, 1)
    assert "released" in said["decided"][0]["became"]
    assert "gone" in said["decided"][1]["became"]
    assert run(capsys, "release", "lost2", "--scope", "pay", "--yes")[0] == 3


def test_a_store_is_prepared(url, tmp_path, capsys):
    """`store migrate` makes what is needed, or prints the script that does."""
    assert main(["store", "migrate"]) == 0
    assert (tmp_path / "s.db").exists()
    assert "is up to date" in capsys.readouterr().out
    assert main(["store", "migrate", "--print"]) == 0
    assert "needs no script" in capsys.readouterr().err
    words = ["store", "migrate", "--print", "--store", "postgresql://me:hunter2@host/db"]
    assert main(words) == 0
    assert "CREATE TABLE" in capsys.readouterr().out
