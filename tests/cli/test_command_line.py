"""The command line: choosing a command, exit codes, JSON, and what is loaded."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
from seawall.cli.commands import COMMANDS, Listed
from seawall.cli.main import main

TOY = {"toy": Listed("toy_command", "ends in many ways")}


@pytest.fixture(autouse=True)
def toys(monkeypatch, request):
    """The toy can be imported, by its name alone."""
    monkeypatch.syspath_prepend(str(request.path.parent))


def seawall(*words):
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "seawall", *words],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [("well", 0), ("partly", 1), ("config", 2), ("store", 3), ("nothing", 4), ("ctrl-c", 130)],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_each_end_has_its_code(end, code, flags):
    """What becomes of a command is told by the exit code, with and without JSON."""
    assert main(["toy", end, *flags], TOY) == code


@pytest.mark.parametrize("words", [["toy", "well", "--json"], ["--json", "toy", "well"]])
def test_json_before_and_after_the_command(words, capsys):
    """`--json` may stand on either side of the command's name; the output is one JSON value."""
    assert main(words, TOY) == 0
    assert json.loads(capsys.readouterr().out) == {"end": "well"}


def test_an_error_in_json(capsys):
    """With `--json` an error is a JSON value too: its code, its kind, everything that is wrong."""
    main(["toy", "nothing", "--json"], TOY)
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "exit": 4,
            "kind": "nothing_matched",
            "message": "no such queue",
            "problems": ["mail", "sms"],
        }
    }


def test_an_error_in_words(capsys):
    """Without it, errors go to stderr and name the program; stdout stays empty."""
    main(["toy", "store"], TOY)
    assert capsys.readouterr() == ("", "seawall: no answer from redis\n")


@pytest.mark.parametrize(
    "words", [[], ["toi"], ["toy"], ["toy", "so-so"], ["toy", "well", "--jso"], ["--js"]]
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_wrong_usage(words, flags, capsys):
    """No command, an unknown one, or wrong arguments: 2, and how it is used."""
    assert main([*words, *flags], TOY) == 2
    out, err = capsys.readouterr()
    said = json.loads(out)["error"]["message"] if flags else err
    assert "usage: seawall" in said


def test_an_option_that_the_command_does_not_have(capsys):
    """Whoever mistypes an option is shown those of the command, not those before it."""
    assert main(["toy", "well", "--fsat"], TOY) == 2
    said = capsys.readouterr().err
    assert "unrecognized arguments: --fsat" in said
    assert "usage: seawall toy" in said


def test_settings_that_are_refused(capsys):
    """A ConfigError of a command is wrong usage, with each problem by itself."""
    main(["toy", "config", "--json"], TOY)
    problems = json.loads(capsys.readouterr().out)["error"]["problems"]
    assert problems == ["min_calls=0 must be at least 1"]


def test_the_version_is_that_of_the_package():
    """`--version` prints the installed version and ends with 0."""
    done = seawall("--version")
    assert (done.stdout, done.returncode) == (f"seawall {version('seawall')}\n", 0)


@pytest.mark.parametrize("words", [("--version", "--json"), ("--json", "--version")])
def test_the_version_as_json(words):
    """One JSON value, and nothing else, as everywhere."""
    done = seawall(*words)
    assert (json.loads(done.stdout), done.returncode) == ({"version": version("seawall")}, 0)


def test_help_lists_every_command_and_every_code():
    """`--help` names all commands with what they do, and what the exit codes mean."""
    done = seawall("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    assert all(summary in " ".join(done.stdout.split()) for _, summary in COMMANDS.values())
    assert "4 nothing matched" in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name):
    """Every command that is listed can be loaded, explains itself, and takes `--json`."""
    done = seawall(name, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout


def test_the_script_is_installed():
    """`pip install seawall` brings the console script, which runs the same function."""
    [script] = entry_points(group="console_scripts", name="seawall")
    assert script.load() is main


def test_nothing_is_loaded_that_is_not_needed():
    """Help loads no command, no event loop, no socket; a wrong word neither."""
    code = """
import sys
from seawall.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
main(["no-such-command"])
heavy = {"asyncio", "socket", "ssl", "subprocess", "httpx", "rich", "uvicorn", "starlette"}
heavy |= {"seawall.cli.demo", "seawall.demo", "seawall.testing"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_enough():
    """A pipe that is closed early (`| head`) ends in no traceback."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; from seawall.cli.main import main\n"
            "from seawall.cli.commands import Listed\n"
            "read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
            "sys.exit(main(['toy', 'well'], {'toy': Listed('toy_command', '')}))",
        ],
        stderr=subprocess.PIPE,
        text=True,
        timeout=50,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["store", "migrate", "--json"]])
@pytest.mark.parametrize("is_closed", [True, False])
def test_nobody_reads(words, is_closed):
    """Whoever has closed the output, or has gone, gets no traceback, whatever is printed."""
    read, write = os.pipe()
    os.close(read)
    line = f"exec {sys.executable} -m seawall {' '.join(words)}" + " >&-" * is_closed
    ended = subprocess.run(
        ["sh", "-c", line], stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=50
    )
    os.close(write)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
