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
    ("asked", "code", "said"),
    [
        (signal.SIGINT, 130, "Interrupted; "),
        (signal.SIGTERM, 143, ""),
    ],
    ids=["interrupted", "killed"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_work_broken_off_leaves_no_worker(
    tmp_path: Path, workers: str, asked: signal.Signals, code: int, said: str
) -> None:
    """Ctrl-C, or a kill, in the middle of long work ends it soon and leaves what is finished.

    The streams close only when every process that holds them is gone.
    """
    scenario = new(tmp_path / "long")
    toml = scenario / "scenario.toml"
    toml.write_text(toml.read_text("utf-8").replace("evaluations = 400", "evaluations = 100000"))
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        [*HUBWISE, "study", str(scenario), "--workers", workers, "--out", str(out / "it")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(out.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(asked)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (code, "")
    kept = [place.name for place in out.iterdir()]
    assert kept in ([], ["it.unfinished"])
    where = f"what is finished is kept in {out / 'it.unfinished'}; the same command goes on from"
    assert stderr == (said and f"{said}{f'{where} there' if kept else 'nothing was written'}.\n")
