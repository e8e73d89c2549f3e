"""The real ``hubwise`` process: its streams, and what an interrupt leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hubwise import __version__
from hubwise.scenario import new

HUBWISE = [str(Path(sys.executable).with_name("hubwise"))]


def test_version_and_json_of_the_real_process() -> None:
    """The installed script answers, in JSON when asked, with nothing on stderr."""
    said = subprocess.run([*HUBWISE, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"hubwise {__version__}\n"
    command = [*HUBWISE, "scenario", "check", "ieee33", "--json"]
    checked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(checked.stdout)["sessions"] == 1500
    assert checked.stderr == ""


@pytest.mark.parametrize(
    ("command", "asked", "code", "said"),
    [
        (["plan"], signal.SIGINT, 130, "Interrupted; nothing was written.\n"),
        (["study", "--workers", "2"], signal.SIGINT, 130, "Interrupted; nothing was written.\n"),
        (["study", "--workers", "2"], signal.SIGTERM, 143, ""),
    ],
    ids=["plan", "study", "killed"],
)
def test_an_interrupt_leaves_nothing(
    tmp_path: Path, command: list[str], asked: signal.Signals, code: int, said: str
) -> None:
    """Ctrl-C, or a kill, in the middle of long work ends it soon and leaves no file, no worker.

    The streams close only when every process that holds them is gone.
    """
    scenario = new(tmp_path / "long")
    toml = scenario / "scenario.toml"
    toml.write_text(toml.read_text("utf-8").replace("evaluations = 400", "evaluations = 100000"))
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        [*HUBWISE, *command, str(scenario), "--out", str(out / "it")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(5)
    assert process.poll() is None
    process.send_signal(asked)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (code, "", said)
    assert list(out.iterdir()) == []
