"""`seawall demo`, for real: processes, sockets, seconds."""

import json
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from seawall.cli import demo
from seawall.cli.main import main
from seawall.demo import processes, shown
from seawall.demo.processes import ChildError

from tests import needs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started(monkeypatch):
    """The processes that are started meanwhile."""
    found = []

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            found.append(self)

    monkeypatch.setattr(processes.subprocess, "Popen", Popen)
    return found


@pytest.fixture
def ports(monkeypatch):
    """The ports that are told meanwhile."""
    found = []
    ready = processes.Children.ready

    def heard(self, name):
        told = ready(self, name)
        found.extend(told.values())
        return told

    monkeypatch.setattr(processes.Children, "ready", heard)
    return found


def test_a_fast_demo_helps_and_leaves_nothing_behind(tmp_path, started, ports, capsys):
    """In under thirty seconds: seawall helps, a report is written, JSON printed, all is gone."""
    report = tmp_path / "report.html"
    begun = time.monotonic()
    code = main(["demo", "--fast", "--json", "--report", str(report)])
    took = time.monotonic() - begun
    said = json.loads(capsys.readouterr().out)
    assert (code, said["faults"], said["helped"]) == (0, [], True)
    assert took < 30
    assert said["naked"]["sent"] == said["protected"]["sent"] > 400
    assert said["protected"]["cart_down"] > said["naked"]["cart_down"]
    assert said["protected"]["turns"][0].keys() == {"at", "breaker", "state"}
    assert report.read_text().startswith("<!DOCTYPE html>")
    assert len(started) == 8
    assert all(process.returncode is not None for process in started)
    assert len(ports) == 6
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@needs.signals
@needs.proc
def test_ctrl_c(tmp_path):
    """Ctrl-C in the middle of it: 130, no traceback, no half report, no child left."""
    report = tmp_path / "report.html"
    command = [sys.executable, "-m", "seawall", "demo", "--fast", "--report", str(report)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().startswith("without seawall")
        children = [
            int(pid)
            for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ]
        process.send_signal(2)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert len(children) == 8
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert not report.exists()


def test_a_reader_that_has_enough(tmp_path):
    """`seawall demo | head -1` ends with 1 when the reader has gone, without a traceback."""
    report = tmp_path / "report.html"
    command = [sys.executable, "-m", "seawall", "demo", "--fast", "--report", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr.read() == b""


def test_what_is_missing_is_named_at_once(monkeypatch, capsys):
    """Without its extra: 2, everything that is missing, and what to install."""
    gone = {"rich", "uvicorn"}
    found = demo.find_spec
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name in gone else found(name))
    assert main(["demo", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["problems"] == ["rich", "uvicorn"]
    assert error["message"] == "the demo needs rich and uvicorn: pip install 'seawall[demo]'"


@pytest.mark.parametrize(
    ("where", "why"),
    [("nowhere/report.html", "there is no folder {}/nowhere"), ("", "that is a folder")],
)
def test_a_report_that_can_not_be_written(where, why, tmp_path, capsys, started):
    """A path that is none is refused before anything is started, not a minute later; and why."""
    report = tmp_path / where
    assert main(["demo", "--report", str(report)]) == 2
    said = f"seawall: the report can't be written to {report}: {why.format(tmp_path)}\n"
    assert capsys.readouterr() == ("", said)
    assert started == []


def test_a_report_that_may_not_be_written(monkeypatch, tmp_path, capsys, started):
    """So is one that this user may not write."""
    monkeypatch.setattr(demo.os, "access", lambda path, mode: False)
    report = tmp_path / "report.html"
    assert main(["demo", "--report", str(report)]) == 2
    assert f"can't be written to {report}: no permission" in capsys.readouterr().err
    assert started == []


def test_a_process_that_dies(monkeypatch, tmp_path, capsys):
    """If one of its processes dies the demo ends with 1 and says which."""

    def show(**_):
        raise ChildError("payments ended with exit code -9")

    monkeypatch.setattr(shown, "show", show)
    assert main(["demo", "--report", str(tmp_path / "report.html")]) == 1
    assert "payments ended with exit code -9" in capsys.readouterr().err


def test_a_demo_that_did_not_help(monkeypatch, tmp_path, capsys, naked):
    """Its exit code is 1, and stderr has the reasons."""
    monkeypatch.setattr(shown.Stage, "__enter__", lambda self: self)
    monkeypatch.setattr(shown.Stage, "live", lambda self, look: naked)
    assert main(["demo", "--report", str(tmp_path / "report.html")]) == 1
    assert "no circuit breaker ever opened" in capsys.readouterr().err


def test_the_extra_is_what_it_needs():
    """pyproject.toml, requirements/demo.txt and the check for what is missing agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["demo"]
    lines = (ROOT / "requirements/demo.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == extra
    assert [need.split(">")[0] for need in extra] == [*demo.NEEDED]
