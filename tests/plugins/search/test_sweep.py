"""``toolkit sweep``: trials, their storage, several processes, the page and the comparison."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("optuna")

import optuna

import sweep_process
from cli_runner import CommandLine, environment, goods, quick, write_csv
from toolkit import Recipe
from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.system import device
from toolkit_search import searching, space, study, sweep_result, sweeping

pytestmark = pytest.mark.filterwarnings("ignore::Warning:optuna")

ERROR = type("M", (), {"name": "mae", "label": "MAE", "unit": "$", "format": ".2f",
                       "greater_is_better": False})  # fmt: skip
STATES = optuna.trial.TrialState


def processes(folder: Path, url: str, trials: int, each: float, number: int = 2) -> list[Any]:
    tests = Path(__file__).parents[2]
    env = environment()
    env["PYTHONPATH"] = f"{tests}{os.pathsep}{env['PYTHONPATH']}"
    return [
        subprocess.Popen(
            [sys.executable, str(tests / "sweep_process.py"), str(folder), url, str(trials),
             str(each)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(number)
    ]  # fmt: skip


def ended(started: list[Any]) -> None:
    for process in started:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-2000:]
        assert "trials are done" in out


def settings_once(opened: Any) -> None:
    """No two trials that were done have the same settings, and no one is left running."""
    trials = opened.get_trials(states=(STATES.COMPLETE, STATES.PRUNED))
    counts = Counter(json.dumps(trial.params, sort_keys=True) for trial in trials)
    assert max(counts.values()) == 1
    assert not opened.get_trials(states=(STATES.RUNNING,))


def test_a_planted_defect_is_recovered_and_the_page_tells_how(tmp_path: Path) -> None:
    made = sweep_process.search(tmp_path, None, 40)
    assert made.run() == "40 trials are done"
    trials = made.study.get_trials()
    assert trials[0].params["training.learning_rate"] == 1e-5  # the recipe's own come first
    best = searching.winner(made.study)
    good = 10 + 8 / 16
    assert best is not None and good <= best.value < good + 0.6
    assert trials[0].value > good + 15
    assert made.study.get_trials(states=(STATES.PRUNED,))
    doc = sweep_result.document("t", ERROR, made.study, made.space, "x", None)
    assert next(iter(doc["importance"])) == "training.learning_rate"
    assert isinstance(doc["trials"][0]["values"]["lora.r"], int)
    page = sweep_result.html(doc)
    assert page.count("<svg") == 2 and "pruned after" in page and "What mattered" in page
    settings_once(made.study)


def test_a_search_that_was_killed_goes_on_and_loses_the_trial_in_flight_alone(
    tmp_path: Path,
) -> None:
    (first,) = processes(tmp_path, "", 50, 1.5, number=1)
    until = time.monotonic() + 120
    opened = None
    while time.monotonic() < until:
        with contextlib.suppress(Exception):
            opened = opened or study.opened(tmp_path, None, "formula", maximize=False, seed=0)
            done = searching.done(opened)
            running = opened.get_trials(states=(STATES.RUNNING,))
            if done >= 2 and running and "alive" in running[0].user_attrs and running[0].params:
                break
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert opened is not None
    lost = opened.get_trials(states=(STATES.RUNNING,))
    before = searching.done(opened)
    again = sweep_process.search(tmp_path, None, before + 3)
    again.run()
    assert searching.done(opened) == before + 3
    assert opened.trials[lost[0].number].state is STATES.FAIL
    redone = [t for t in opened.get_trials(states=(STATES.COMPLETE, STATES.PRUNED))
              if t.params == lost[0].params]  # fmt: skip
    assert len(redone) == 1
    settings_once(opened)


def test_two_processes_share_one_journal_without_doing_a_trial_twice(tmp_path: Path) -> None:
    ended(processes(tmp_path, "", 14, 0.2))
    opened = study.opened(tmp_path, None, "formula", maximize=False, seed=0)
    assert 14 <= searching.done(opened) <= 15
    settings_once(opened)
    pids = {trial.user_attrs.get("pid") for trial in opened.trials}
    assert len(pids - {None}) == 2


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """The address of a PostgreSQL server that this test starts."""
    pytest.importorskip("psycopg2")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not found or shutil.which("runuser") is None:
        pytest.skip("no PostgreSQL is installed")
    home = tmp_path / "pg"
    home.mkdir()
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(home, "postgres")
        for parent in list(home.parents)[:4]:
            with contextlib.suppress(OSError):
                parent.chmod(0o755)
    data, port = home / "data", 54999
    subprocess.run([*user, str(found[0] / "initdb"), "-D", str(data), "-A", "trust"], check=True,
                   capture_output=True)  # fmt: skip
    control = [*user, str(found[0] / "pg_ctl"), "-D", str(data), "-w"]
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1"
    subprocess.run([*control, "-l", str(home / "log"), "-o", options, "start"], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)


def test_who_comes_second_to_a_new_database_uses_the_tables_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import IntegrityError, OperationalError

    real, tries = optuna.storages.RDBStorage.__init__, []

    def beaten(self: Any, url: str, **options: Any) -> None:
        tries.append(url)
        if "unreachable" in url:
            raise OperationalError(None, None, Exception("no route to host"))
        if len(tries) < 3:
            raise IntegrityError("CREATE TYPE", {}, Exception("it exists"))
        real(self, url, **options)

    monkeypatch.setattr(optuna.storages.RDBStorage, "__init__", beaten)
    monkeypatch.setattr(study, "PAUSES", (0.0, 0.0, 0.0))
    url = f"sqlite:///{tmp_path / 'study.sqlite'}"
    assert searching.done(study.opened(tmp_path, url, "s", maximize=False, seed=0)) == 0
    assert len(tries) == 3
    with pytest.raises(DataError, match="no route to host"):
        study.opened(tmp_path, "sqlite:///unreachable", "s", maximize=False, seed=0)
    assert len(tries) == 4


@pytest.mark.slow
def test_two_processes_share_one_postgresql_study(postgres: str, tmp_path: Path) -> None:
    ended(processes(tmp_path / "a", postgres, 12, 0.2))
    opened = study.opened(tmp_path / "b", postgres, "formula", maximize=False, seed=0)
    assert 12 <= searching.done(opened) <= 13
    settings_once(opened)


def test_what_cannot_work_is_refused_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sweep_process.search(tmp_path, None, 5)
    ours = type(made)._trained

    def refusing(self: Any, trial: Any, recipe: Recipe) -> Any:
        if recipe.lora["r"] == 16:
            raise ToolkitError("it does not fit into memory")
        return ours(self, trial, recipe)

    monkeypatch.setattr(type(made), "_trained", refusing)
    made.run()
    doc = sweep_result.document("t", ERROR, made.study, made.space, "x", None)
    why = [trial["why"] for trial in doc["trials"] if trial["values"].get("lora.r") == 16]
    assert why and set(why) == {"it does not fit into memory"}


def test_a_small_space_is_exhausted(tmp_path: Path) -> None:
    made = sweep_process.search(tmp_path, None, 500)
    made.space = {"lora.r": space.Values(choices=(4, 8))}
    assert made.run() == "all settings of the space were tried"
    assert searching.done(made.study) == 2


def test_trials_without_a_process_are_stale() -> None:
    import socket

    here = {"host": socket.gethostname(), "alive": time.time()}
    assert not study.stale({**here, "pid": os.getpid()}, None)
    assert study.stale({**here, "pid": 2**22 + 5}, None)
    elsewhere = {"host": "another", "pid": 1}
    assert not study.stale({**elsewhere, "alive": time.time()}, None)
    assert study.stale({**elsewhere, "alive": time.time() - study.SILENT - 1}, None)


def test_the_space_of_a_file_is_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        '[space]\n"lora.r" = [4, 8]\nmodel = ["a", "b"]\n'
        "training.learning_rate = {low = 1e-4, high = 1e-2, log = true}\n"
        "training.num_train_epochs = {low = 1, high = 4}\n"
    )
    found = space.read(file)
    assert found["training.learning_rate"].log and found["training.num_train_epochs"].whole
    recipe = Recipe("r", "", "a", training={"model_init_kwargs": {"dtype": "float32"}}, lora={})
    changed = space.applied(recipe, {"lora.r": 8, "model": "b", "training.learning_rate": 1e-3})
    assert (changed.model, changed.lora, changed.training) == (
        "b",
        {"r": 8},
        {"learning_rate": 1e-3},
    )
    for text in ("", "[space]\n", "x = 1\n[space]\n'lora.r' = [1]\n", "[space]\n'nope.r' = [1]\n",
                 "[space]\n'lora.r' = 4\n", "[space]\n'lora.r' = {low = 4, high = 2}\n",
                 "[space]\n'lora.r' = {low = 0.0, high = 1.0, log = true}\n",
                 "[space]\n'lora.r' = {low = 0.0, high = inf}\n", "[space\n"):  # fmt: skip
        file.write_text(text)
        with pytest.raises(UsageError, match="space"):
            space.read(file)


def test_the_usual_space_has_what_a_task_and_a_machine_offer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tiny_tasks import TinyColours, TinyGoods, TinyPrices

    class Prompts(TinyColours):
        name = "prompts"
        options: ClassVar = {**TinyColours.options, "prompt": "short"}
        searched: ClassVar = {"prompt": ("long", "short", "none")}

    recipe = Recipe("r", "", "embedded:causal-lm", training={}, lora={"r": 8})
    found = space.default(Prompts, recipe)
    assert found["task.prompt"].choices == ("short", "long", "none")
    assert not {"quantization", "model", "curation.most_per_category"} & set(found)
    first = space.of_recipe(Prompts, recipe, found)
    assert first["task.prompt"] == "short" and first["curation.deduplicate"] == "false"
    assert "curation.most_per_category" in space.default(TinyGoods, recipe)
    assert "curation.most_per_category" not in space.default(TinyPrices, recipe)
    monkeypatch.setattr(device, "is_gpu", lambda: True)
    bits = {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"}
    large = Recipe("r", "", "some/model", training={}, lora={"r": 8}, quantization=bits)
    tried = space.default(TinyColours, large)
    assert len(tried["quantization"].choices) == 4
    assert space.of_recipe(TinyColours, large, tried)["quantization"] == space.as_text(bits)
    assert space.applied(large, {"quantization": None}).quantization is None
    changed = space.applied(large, {"curation.without_longest": 0.05})
    assert changed.quantization == bits and changed.curation == {"without_longest": 0.05}


def test_the_recipes_own_values_are_not_the_first_of_a_list() -> None:
    from tiny_tasks import TinyColours

    class Prompts(TinyColours):
        name = "prompts"
        options: ClassVar = {**TinyColours.options, "prompt": "short"}

    tried = {
        "task.prompt": space.Values(choices=("long", "short")),
        "curation.deduplicate": space.Values(choices=(True, False)),
        "curation.without_longest": space.Values(choices=(0.1, 0)),
        "lora.lora_dropout": space.Values(choices=(0.1, 0.2)),
    }
    recipe = Recipe("r", "", "embedded:causal-lm", training={}, lora={})
    assert space.of_recipe(Prompts, recipe, tried) == {
        "task.prompt": "short", "curation.deduplicate": "false", "curation.without_longest": "0",
    }  # fmt: skip


def test_a_budget_of_money_is_one_of_minutes() -> None:
    recipe = Recipe("r", "", "m", cost={"machine_price_per_hour": 2.0})
    none: dict[str, Any] = {"minutes": None, "trials": None, "max_cost": None,
                            "trial_minutes": None, "seeds": 3}  # fmt: skip
    made = sweeping.Budget.of(recipe, **{**none, "max_cost": 1.0})
    assert made.limits.seconds == pytest.approx(0.6 * 30 * 60)
    assert made.final_minutes == pytest.approx(0.4 * 30 / 6)
    # No trial is longer than what follows, and the first does not take all the minutes.
    assert made.limits.trial_minutes == pytest.approx(0.4 * 30 / 6)
    alone = sweeping.Budget.of(recipe, **{**none, "minutes": 16.0, "seeds": 0})
    assert alone.limits.trial_minutes == pytest.approx(2.0)
    own = sweeping.Budget.of(recipe, **{**none, "minutes": 16.0, "trial_minutes": 5.0})
    assert own.limits.trial_minutes == 5.0
    for wrong in ({}, {"minutes": 0.0}, {"minutes": float("nan")}, {"max_cost": -1.0},
                  {"trials": 3, "trial_minutes": -1.0}):  # fmt: skip
        with pytest.raises(UsageError):
            sweeping.Budget.of(recipe, **{**none, **wrong})
    with pytest.raises(UsageError, match="machine_price_per_hour"):
        sweeping.Budget.of(Recipe("r", "", "m"), **{**none, "max_cost": 1.0})


def test_storages_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no address"):
        study.opened(tmp_path, "nope", "s", maximize=False, seed=0)
    with pytest.raises((UsageError, DataError)) as raised:
        study.opened(
            tmp_path, "postgresql+nodriver://me:a-password-1@nowhere/x", "s", maximize=False, seed=0
        )
    assert "a-password-1" not in str(raised.value)


@pytest.mark.slow
def test_a_sweep_trains_and_compares_the_winner_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    tiny_llama: Path,
) -> None:  # fmt: skip
    cli = CommandLine(capsys, monkeypatch)
    data = write_csv(tmp_path / "goods.csv", goods(150))
    space = tmp_path / "space.toml"
    # A rate at which so small a model forgets numbers, and one at which it keeps them.
    space.write_text('[space]\n"training.learning_rate" = [0.05, 1e-6]\n')
    command = [
        "sweep", "price-regression", "--data", data, "--runs", tmp_path / "runs", "--out",
        tmp_path / "result", "--trials", "2", "--seeds", "1", "--json", *quick(tiny_llama),
        "--set", "training.learning_rate=0.05", "--space", space,
    ]  # fmt: skip
    answer = cli(*command)
    assert answer.code == 0, answer.err
    doc = json.loads(answer.out)
    assert doc["counts"]["complete"] == 2 and doc["final"]["pair"]["row_by_row"]
    runs = sorted(path.name for path in (tmp_path / "runs" / "price-regression").iterdir())
    assert len(runs) == 2  # trials leave nothing
    assert not list((tmp_path / "result" / "trials").rglob("run.json"))
    again = cli(*command)
    assert again.code == 0 and json.loads(again.out)["final"] == doc["final"]
    other = cli(*command, "--set", "lora.r=2")
    assert other.code == 2 and "other settings" in other.err
    # The recipe's own settings, though a trial names what the recipe leaves as it is.
    own = cli(
        "sweep", "price-regression", "--data", data, "--runs", tmp_path / "runs", "--out",
        tmp_path / "own", "--trials", "1", "--json", *quick(tiny_llama),
    )  # fmt: skip
    assert own.code == 0, own.err
    doc = json.loads(own.out)
    assert doc["final"] is None and "own settings" in doc["sentences"][-1]
    assert "curation.deduplicate" in doc["trials"][0]["values"]
