"""The command line: what it says, where it says it, and its exit codes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest
from typer.testing import Result

from hubwise.cli import commands
from hubwise.cli.show import figure
from hubwise.domain import Strategy, TariffFamily
from hubwise.record import place, read, write_summary
from hubwise.scenario import check, load
from hubwise.study import run as study_run

Run = Callable[..., Result]

DATA = Path(__file__).parent.parent / "scenario" / "data"


def test_plan_writes_a_plan_and_names_it(run: Run, quick: Path, tmp_path: Path) -> None:
    """A plan that keeps everything ends with 0, a table and the place of its page."""
    done = run("plan", quick, "--out", tmp_path / "deep" / "plan")
    assert done.exit_code == 0, done.output
    assert "operator's profit" in done.stdout
    assert str(tmp_path / "deep" / "plan" / "report.html") in done.stdout.replace("\n", "")
    assert (tmp_path / "deep" / "plan" / "report.html").is_file()
    assert read(tmp_path / "deep" / "plan").result["strategy"] == "hubwise"


def test_plan_does_what_its_options_say(run: Run, quick: Path, tmp_path: Path) -> None:
    """Strategy, participation, method and evaluations reach the planner."""
    options = ["--participation", 0.5, "--method", "annealing", "--evaluations", 2, "--seed", 7]
    done = run("plan", quick, "--out", tmp_path / "plan", *options, "--json")
    result = json.loads(done.stdout)["results"][0]
    assert result["participation"] == 0.5
    assert result["method"] == "annealing"
    assert result["evaluations"] == 2
    other = run("plan", quick, "--out", tmp_path / "other", "--strategy", "passive", "--json")
    assert json.loads(other.stdout)["results"][0]["strategy"] == "passive"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--participation", "3", "'--participation': 3 is out of bounds; it has to be at most 1"),
        ("--participation", "x", "'--participation': 'x' is not a number; give a number such as"),
        ("--evaluations", "0", "'--evaluations': 0 is out of bounds; it has to be at least 1"),
        ("--strategy", "zz", "'--strategy': 'zz' is not one of 'uncoordinated'"),
    ],
)
def test_a_wrong_option_is_told_in_our_words(
    run: Run, quick: Path, option: str, value: str, said: str
) -> None:
    """What is wrong and what would be right; no word of the library that found it."""
    done = run("plan", quick, option, value)
    assert done.exit_code == 2
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Value error" not in done.stderr
    assert "Input should" not in done.stderr


def test_futures_need_prices_to_post(run: Run, quick: Path, tmp_path: Path) -> None:
    """A strategy without prices is refused, not passed over, and nothing is written."""
    options = ["--futures", 2, "--strategy", "storage"]
    done = run("plan", quick, "--out", tmp_path / "plan", *options)
    assert done.exit_code == 2
    assert "storage posts no prices" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "plan").exists()


def test_json_is_all_there_is_on_stdout(run: Run, quick: Path, tmp_path: Path) -> None:
    """With --json stdout is one JSON document: the summary, the places, and what is missed."""
    done = run("plan", quick, "--out", tmp_path / "plan", "--json")
    said = json.loads(done.stdout)
    assert said["misses"] == []
    assert said["folder"] == str(tmp_path / "plan")
    written = json.loads((tmp_path / "plan" / "summary.json").read_text("utf-8"))
    assert {key: said[key] for key in written} == written


def test_a_missed_promise_ends_with_1(run: Run, quick: Path, tmp_path: Path) -> None:
    """A plan that cannot keep a promise is written all the same, and says what it misses."""
    greedy = shutil.copytree(quick, tmp_path / "greedy")
    toml = greedy / "scenario.toml"
    text = toml.read_text("utf-8").replace("peak_valley = 0.9", "peak_valley = 1e-3")
    toml.write_text(text, "utf-8")
    done = run("plan", greedy, "--out", tmp_path / "plan")
    assert done.exit_code == 1
    assert "peak-valley promise is missed" in done.stderr
    assert (tmp_path / "plan" / "summary.json").is_file()
    options = ["--participation", 1, "--strategy", "hubwise"]
    told = run("study", greedy, "--out", tmp_path / "study", *options, "--json")
    assert told.exit_code == 1
    assert "peak-valley promise is missed" in json.loads(told.stdout)["misses"][0]


def test_what_is_compared_may_miss_a_limit(run: Run, quick: Path, tmp_path: Path) -> None:
    """Uncoordinated charging that breaks limits is a finding of a study, not its failure."""
    weak = shutil.copytree(quick, tmp_path / "weak")
    toml = weak / "scenario.toml"
    small = toml.read_text("utf-8").replace("transformer_kva = 250.0", "transformer_kva = 120.0")
    toml.write_text(small, "utf-8")
    options = ["--strategy", "uncoordinated", "--participation", 1]
    done = run("study", weak, "--out", tmp_path / "study", *options, "--json")
    assert json.loads(done.stdout)["results"][0]["transformer_violations"] > 0
    assert done.exit_code == 0
    assert run("plan", weak, "--out", tmp_path / "plan", *options).exit_code == 1


@pytest.fixture
def broken(quick: Path, tmp_path: Path) -> Path:
    """A scenario with three mistakes in two files."""
    folder = shutil.copytree(quick, tmp_path / "broken")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("bus = 5", "bus = 55")
    toml.write_text(text.replace("saving = 0.95", "saving = -0.95"), "utf-8")
    sessions = folder / "sessions.csv"
    sessions.write_text(sessions.read_text("utf-8").replace("s02,d02,north", "s02,d02,nowhere"))
    return folder


@pytest.mark.parametrize("command", ["plan", "study", "frontier"])
def test_bad_input_is_told_at_once(run: Run, broken: Path, tmp_path: Path, command: str) -> None:
    """Exit code 2, every problem with its place and what would be right, and nothing written."""
    issues = check(broken)
    assert len(issues) >= 3
    done = run(command, broken, "--out", tmp_path / "out" / "it")
    assert done.exit_code == 2
    assert done.stdout == ""
    for issue in issues:
        for part in (issue.file, issue.where, issue.field, issue.wrong, issue.right):
            assert part in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["plan", "study", "scenario check"])
def test_bad_input_as_data(run: Run, broken: Path, tmp_path: Path, command: str) -> None:
    """With --json the same problems are data on stdout, and stderr is silent."""
    place = [] if command == "scenario check" else ["--out", tmp_path / "it"]
    done = run(*command.split(), broken, *place, "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {"problems": [asdict(one) for one in check(broken)]}
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["plan", "study", "frontier"])
def test_a_strangers_folder_is_left_alone(
    run: Run, quick: Path, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands there and is not ours stops the command before any work, and stays."""

    def work(*_: object, **__: object) -> None:
        raise AssertionError("the place should be looked at first")

    monkeypatch.setattr(commands, "make_plan", work)
    monkeypatch.setattr(study_run, "make_plan", work)
    monkeypatch.setattr(import_module("hubwise.study.frontier"), "make_plan", work)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("precious")
    done = run(command, quick, "--out", tmp_path / "letters")
    assert done.exit_code == 2
    assert f"{tmp_path / 'letters'} — exists and is not a {command}" in done.stderr
    assert (tmp_path / "letters" / "dear.txt").read_text() == "precious"
    below_a_file = run(
        command, quick, "--out", tmp_path / "letters" / "dear.txt" / "plan", "--json"
    )
    assert below_a_file.exit_code == 2
    [issue] = json.loads(below_a_file.stdout)["problems"]
    assert issue["wrong"] == "is not a folder"


def test_an_interrupt_ends_with_130(
    run: Run, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a plan is written leaves no folder, and one line on stderr."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("polars.DataFrame.write_parquet", interrupted)
    done = run("plan", quick, "--out", tmp_path / "plan", "--json")
    assert done.exit_code == 130
    assert (done.stdout, done.stderr) == ("", "Interrupted; nothing was written.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_permission_is_named(
    run: Run, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent that may not be written to is told in one line."""
    monkeypatch.setattr(place.os, "access", lambda *_: False)
    done = run("plan", quick, "--out", tmp_path / "deep" / "plan")
    assert done.exit_code == 2
    assert done.stderr.strip().startswith(f"{tmp_path} — may not be written to")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a file system that takes no folders")
@pytest.mark.parametrize("command", ["plan", "study", "frontier", "zones"])
def test_a_place_that_takes_no_folder_is_named(run: Run, quick: Path, command: str) -> None:
    """What lets nobody write, though it says otherwise, is told before any work."""
    done = run(command, quick, "--out", "/proc/plan")
    assert done.exit_code == 2
    assert done.stderr.strip().startswith("/proc — may not be written to")


@pytest.mark.parametrize(
    ("command", "options", "named"),
    [
        ("plan", ["--futures", 4, "--strategy", "passive"], "--futures"),
        ("plan", ["--futures", 4, "--method", "exact"], "--futures"),
        ("study", ["--scheduler", "somewhere"], "tcp://HOST:8786"),
    ],
)
def test_options_that_cannot_be_are_refused(
    run: Run, quick: Path, tmp_path: Path, command: str, options: list[str], named: str
) -> None:
    """Futures without posted prices, and a scheduler without a port, do no work."""
    done = run(command, quick, "--out", tmp_path / "it", *options)
    assert done.exit_code == 2
    assert named in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_share_named_twice_is_planned_once(run: Run, quick: Path, tmp_path: Path) -> None:
    """Repeated options name a set."""
    twice = ("--participation", 0.5) * 2 + ("--strategy", "passive") * 2
    done = run("study", quick, *twice, "--workers", 1, "--json", "--out", tmp_path / "it")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["results"]) == 1


@pytest.mark.parametrize(
    ("word", "right"), [("pln", "did you mean 'plan'?"), ("qqqq", "known are plan")]
)
def test_a_command_that_there_is_not_is_told_with_what_there_is(
    run: Run, word: str, right: str
) -> None:
    """The one that was meant, or all."""
    done = run(word)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{word!r} is no command" in done.stderr
    assert right in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "guessing"],
        ["--family", "spot"],
        ["--participation", "1.2"],
        ["--strategy", "magic"],
        [],
    ],
)
def test_mistyped_options_end_with_2(run: Run, quick: Path, options: list[str]) -> None:
    """Unknown words, shares above 1 and a missing --out are refused before anything is read."""
    done = run("plan", quick, *options)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_audit_tells_a_true_plan_from_a_changed_one(
    run: Run, planned: Path, tmp_path: Path
) -> None:
    """0 where everything written is so, 1 where one number was changed."""
    done = run("audit", planned, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ok"]
    short, whole = run("audit", planned).stdout, run("audit", planned, "--all").stdout
    held = json.loads(done.stdout)["counts"]["holds"]
    counts = [int(each) for each in re.findall(r"(\d+) checks? holds?", short)]
    assert sum(counts) == held > 50
    assert len(counts) < 40
    assert whole.count("holds  ") >= held
    changed = shutil.copytree(planned, tmp_path / "changed")
    bills = pl.read_parquet(changed / "bills.parquet")
    bills.with_columns(pl.col("paid") + 0.01).write_parquet(changed / "bills.parquet")
    found = run("audit", changed)
    assert found.exit_code == 1
    assert "fails" in found.stdout


def test_another_family_is_another_scenario(run: Run, quick: Path, tmp_path: Path) -> None:
    """A plan with --family is true of its scenario with that family, and of no other."""
    family = ["--family", "hourly"]
    run("plan", quick, "--out", tmp_path / "plan", *family)
    assert run("audit", tmp_path / "plan").exit_code == 1
    assert run("audit", tmp_path / "plan", "--scenario", quick, *family).exit_code == 0


@pytest.mark.parametrize(
    ("lie", "place"),
    [
        (lambda folder: (folder / "report.html").write_text("<p>fine</p>"), "report.html: changed"),
        (lambda folder: (folder / "more.txt").write_text("fine"), "more.txt: not known"),
        (lambda folder: _said(folder, "gap", 0.0), "summary.json, gap: 0.0"),
        (lambda folder: _said(folder, "bonus", 1), "summary.json, results[0].bonus: not known"),
    ],
)
def test_audit_names_the_place_of_a_lie(
    run: Run, planned: Path, tmp_path: Path, lie, place
) -> None:
    """Exit code 1, and the place in the table, whatever was changed."""
    folder = shutil.copytree(planned, tmp_path / "plan")
    lie(folder)
    done = run("audit", folder, "--json")
    assert done.exit_code == 1
    fails = [check for check in json.loads(done.stdout)["checks"] if check["status"] == "fails"]
    (name,) = {check["name"] for check in fails if place in check["where"]}
    assert name in run("audit", folder).stdout


def _said(folder: Path, key: str, value: object) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    summary["results"][0][key] = value
    write_summary(summary, folder)


def test_audit_of_what_cannot_be_read(run: Run, planned: Path, tmp_path: Path) -> None:
    """A folder without a table, or with a key twice, is bad input and no lie."""
    folder = shutil.copytree(planned, tmp_path / "plan")
    summary = folder / "summary.json"
    text = summary.read_text(encoding="utf-8")
    summary.write_text(text.replace('"gap":', '"gap": 0.0, "gap":', 1), encoding="utf-8")
    done = run("audit", folder)
    assert done.exit_code == 2
    assert "more than once" in done.stdout
    summary.write_text(text, encoding="utf-8")
    (folder / "bills.parquet").unlink()
    assert run("audit", folder).exit_code == 2


def test_audit_of_another_scenario(run: Run, quick: Path, planned: Path) -> None:
    """--scenario names the scenario; --family makes it another, and needs it named."""
    assert run("audit", planned, "--scenario", quick).exit_code == 0
    assert run("audit", planned, "--scenario", quick, "--family", "hourly").exit_code == 1
    assert run("audit", planned, "--family", "hourly").exit_code == 2
    assert run("audit", planned, "--scenario", "nowhere").exit_code == 2
    assert run("audit", planned / "nothing").exit_code == 2


def test_new_check_and_again(run: Run, tmp_path: Path) -> None:
    """The example that `new` writes is found fine by `check`; a second `new` there is refused."""
    assert run("scenario", "new", tmp_path / "mine").exit_code == 0
    done = run("scenario", "check", tmp_path / "mine")
    assert done.exit_code == 0
    assert "12 sessions at 2 hubs, 96 slots" in done.stdout
    assert run("scenario", "new", tmp_path / "mine", "--json").exit_code == 2


def importing(place: Path, **changes: str) -> list[object]:
    """Arguments of an import of the small tables that the scenario tests use."""
    options: dict[str, Any] = {
        "sessions": DATA / "sessions_plain.csv",
        "prices": DATA / "prices_quarterly_kwh.csv",
        "day": "2024-06-03",
        "zone": "Europe/Amsterdam",
        "out": place,
    }
    return [part for key, value in (options | changes).items() for part in (f"--{key}", value)]


def test_import_makes_a_scenario(run: Run, tmp_path: Path) -> None:
    """Sessions and prices become a folder that loads; assumptions are taken, notes are told."""
    assume = ["--assume", "currency=EUR", "--assume", "capacity_kwh=60", "--assume", "two_way=true"]
    done = run("scenario", "import", *importing(tmp_path / "site"), *assume, "--json")
    assert done.exit_code == 0, done.output
    fleet = load(tmp_path / "site").situation.fleet
    assert json.loads(done.stdout)["sessions"] == len(fleet)
    assert set(fleet.capacity_kwh) == {60.0}
    assert (fleet.discharge_kw_max > 0).all()


@pytest.mark.parametrize(
    "assumed", ["battery=60", "capacity_kwh=many", "capacity_kwh", "zone=Europe/Paris"]
)
def test_import_refuses_unknown_assumptions(run: Run, tmp_path: Path, assumed: str) -> None:
    """An unknown key, a wrong value, none, or a key with its own option: 2, and no folder."""
    done = run("scenario", "import", *importing(tmp_path / "site"), "--assume", assumed)
    assert done.exit_code == 2
    assert not (tmp_path / "site").exists()


def test_import_names_a_missing_file(run: Run, tmp_path: Path) -> None:
    """A file that is not there is a problem like any other, beside the others."""
    done = run("scenario", "import", *importing(tmp_path / "site", sessions="gone.csv"), "--json")
    assert done.exit_code == 2
    assert "gone.csv" in [issue["file"] for issue in json.loads(done.stdout)["problems"]]


def test_choices_are_those_of_the_rooms() -> None:
    """The command line offers the strategies and families that there are."""
    hints = get_type_hints(commands.plan)
    assert hints["strategy"] is Strategy
    assert TariffFamily in get_args(hints["family"])


def test_help_tells_the_exit_codes(run: Run) -> None:
    """Scripts find the exit codes where they look first."""
    said = " ".join(run("--help").stdout.split())
    for words in ("0 fine", "1 finished", "2 bad input", "130 interrupted"):
        assert words in said


def test_frontier_draws_what_can_be_had(run: Run, quick: Path, tmp_path: Path) -> None:
    """0 where every pair of promises is kept, with a table and the place of the page."""
    pair = ["--participation", 1, "--peak-valley", 0.9, "--saving", 0.9, "--evaluations", 2]
    done = run("frontier", quick, "--out", tmp_path / "it", *pair, "--workers", 1)
    assert done.exit_code == 0, done.output
    assert "yes" in done.stdout
    assert str(tmp_path / "it" / "frontier.html") in done.stdout.replace("\n", "")
    assert (tmp_path / "it" / "frontier.html").is_file()


@pytest.mark.nightly
def test_a_frontier_says_what_is_not_kept(run: Run, quick: Path, tmp_path: Path) -> None:
    """1 where a pair of promises is not kept; the frontier is whole, and --json is its file."""
    pair = ["--participation", 1, "--peak-valley", 0.001, "--saving", 0.9, "--evaluations", 1]
    done = run("frontier", quick, "--out", tmp_path / "it", *pair, "--workers", 1, "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    written = json.loads((tmp_path / "it" / "frontier.json").read_text("utf-8"))
    assert {key: said[key] for key in written} == written
    assert [point["kept"] for point in said["points"]] == [False]


def test_what_rounds_to_nothing_has_no_sign() -> None:
    """A loss of less than is shown is no loss."""
    assert [figure(-0.001), figure(-1e-9, ".1%"), figure(-0.4, ",.0f")] == ["0.00", "0.0%", "0"]
    assert figure(-3.2) == "-3.20"
