"""``toolkit push`` against a stand-in for the Hub: what leaves, cards, steps, and troubles."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("huggingface_hub")
pytest.importorskip("tenacity")

from cli_runner import CommandLine
from hub_stand_in import TOKEN, HubStandIn
from toolkit.errors import RunError, UsageError
from toolkit.models import hub_id
from toolkit.runs.files import read_json, write_json
from toolkit.runs.run import Run
from toolkit.system import Console
from toolkit_export import hub_files, metadata, push
from toolkit_export.hub import TRIES, Hub, PushFailed

# Of huggingface_hub, whose way of sending a file httpx advises against.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")
NAME = "me/kinds"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    import huggingface_hub

    made = HubStandIn()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", made.url)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    # The library waits too, up to half a minute for a request.
    fast = SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.utils._http.time", fast)
    quick = {**Hub.__init__.__kwdefaults__, "pause": 0.01}
    monkeypatch.setattr(Hub.__init__, "__kwdefaults__", quick)
    yield made
    made.close()


@pytest.fixture
def run(exported_runs: dict[str, Run], tmp_path: Path) -> Run:
    """A finished run of one's own."""
    copy = tmp_path / "runs" / "kinds" / exported_runs["kinds"].id
    shutil.copytree(exported_runs["kinds"].path, copy)
    return Run.open(copy)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def sent(hub: HubStandIn, revision: str = "main") -> dict[str, bytes]:
    return hub.repositories[NAME].revisions[revision]


def test_an_adapter_goes_in_one_private_commit_without_rows_and_paths(
    cli: CommandLine, hub: HubStandIn, run: Run, tmp_path: Path
) -> None:
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 0, answer.err
    repository = hub.repositories[NAME]
    assert repository.private and repository.messages == [f"adapter of run {run.id}"]
    files = sent(hub)
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "toolkit.json",
            "tokenizer.json"} <= files.keys()  # fmt: skip
    assert not {"training.json", "test_results.json"} & files.keys()
    weights = run.adapter / "adapter_model.safetensors"
    assert files["adapter_model.safetensors"] == weights.read_bytes()
    assert read_json(run.adapter / "toolkit.json")["canaries"]
    assert "canaries" not in json.loads(files["toolkit.json"])
    told = " ".join((answer.out + answer.err).split())
    assert "without the 4 rows of the data" in told and "(private)" in told
    everything = b"".join(content for name, content in files.items() if name.endswith("json"))
    assert str(tmp_path).encode() not in everything + files["README.md"]
    assert b"/models" not in files["adapter_config.json"]
    (record,) = read_json(run.path / push.PUSHED)
    assert record["revision"] == "main" and record["files"].keys() == files.keys()


def test_the_card_reads_back_with_figures_and_intervals(hub: HubStandIn, run: Run) -> None:
    from huggingface_hub import ModelCard

    found = push.pieces(run, NAME, push.Options())
    text = next(one.content for one in found if one.name == "README.md")
    assert isinstance(text, bytes)
    card = ModelCard(text.decode())
    assert card.data.library_name == "peft" and card.data.pipeline_tag == "text-generation"
    doc = read_json(run.path / "metrics.json")
    ours = doc["systems"]["adapter"]["metrics"]["exact_match"]
    (result,) = [r for r in card.data.eval_results if r.metric_type == "exact_match"]
    assert result.metric_value == ours["value"] and result.dataset_split == "test"
    assert result.metric_args["low"] == ours["low"] and result.metric_args["rows"] == doc["n"]
    assert doc["verdict"]["sentence"] in card.text and "| adapter |" in card.text
    assert f'PeftModel.from_pretrained(base, "{NAME}")' in card.text


def test_an_export_goes_with_what_its_gate_has_found(
    cli: CommandLine, hub: HubStandIn, run: Run
) -> None:
    answer = cli("push", run.path, "--to", NAME, "--what", "merged", "--yes")
    assert answer.code == 2 and "toolkit export" in answer.err
    answer = cli("export", run.path, "--to", "merged", "--margin", "0.5", "--anyway")
    assert answer.code == 0, answer.err
    answer = cli("push", run.path, "--to", NAME, "--what", "merged", "--yes", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["form"] == "merged"
    card = sent(hub)["README.md"].decode()
    assert "library_name: transformers" in card and "answered by transformers" in card
    assert "export.json" in sent(hub)


def test_nothing_leaves_before_it_was_listed_and_agreed(
    cli: CommandLine, hub: HubStandIn, run: Run
) -> None:
    answer = cli("push", run.path, "--to", NAME)
    assert answer.code == 2 and "--dry-run, then say --yes" in answer.err
    assert "adapter_model.safetensors" in answer.out + answer.err
    answer = cli("push", run.path, "--to", NAME, "--dry-run", "--with-rows")
    assert answer.code == 0 and "with 4 rows of the data" in answer.out + answer.err
    assert not hub.paths


def test_what_everybody_sees_is_said(cli: CommandLine, hub: HubStandIn, run: Run) -> None:
    assert cli("push", run.path, "--to", NAME, "--yes", "--public").code == 0
    assert not hub.repositories[NAME].private
    hub.repositories[NAME].messages.clear()
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 2 and "everybody sees" in answer.err and "--public" in answer.err
    assert not hub.repositories[NAME].messages


@pytest.mark.parametrize(
    ("to", "message"),
    [("kinds", "OWNER/NAME"), ("a/b/c", "OWNER/NAME"), ("me/a..b", "no name of a repository")],
)
def test_names_that_are_none_are_refused(
    cli: CommandLine, hub: HubStandIn, run: Run, to: str, message: str
) -> None:
    answer = cli("push", run.path, "--to", to, "--yes")
    assert answer.code == 2 and message in " ".join(answer.err.split())


def test_a_token_is_needed_and_a_wrong_one_is_said(
    cli: CommandLine, hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrongwrongwrongwrongwrong")
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 2 and "answers 401" in answer.err
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 2 and "set HF_TOKEN" in answer.err and "keyring set" in answer.err


@pytest.mark.parametrize("wrong", [0, 429, 500, 503, 0.3])
def test_what_fails_for_a_while_is_tried_again(
    cli: CommandLine, hub: HubStandIn, run: Run, wrong: float
) -> None:
    seen: dict[str, int] = {}

    def trouble(path: str, number: int) -> float | None:
        kind = path.split("/")[-2] if "/api/models" in path else path.split("/")[1]
        seen[kind] = seen.get(kind, 0) + 1
        return wrong if seen[kind] == 1 else None

    hub.trouble = trouble
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 0, answer.err
    assert "adapter_model.safetensors" in sent(hub) and len(hub.repositories[NAME].messages) == 1


@pytest.mark.parametrize("wrong", [0, 500, 503])
def test_what_fails_for_good_is_one_sentence(
    cli: CommandLine, hub: HubStandIn, run: Run, wrong: int
) -> None:
    hub.trouble = lambda path, number: wrong if "/commit/" in path else None
    answer = cli("push", run.path, "--to", NAME, "--yes")
    assert answer.code == 1 and "sending the files failed" in " ".join(answer.err.split())
    assert "Traceback" not in answer.err and not hub.repositories[NAME].messages
    assert sum("/commit/" in path for path in hub.paths) >= TRIES
    assert not (run.path / push.PUSHED).exists()


def test_the_token_is_nowhere(cli: CommandLine, hub: HubStandIn, run: Run) -> None:
    hub.trouble = lambda path, number: 503 if "/commit/" in path and number < 12 else None
    answer = cli("push", run.path, "--to", NAME, "--yes", "--debug")
    assert TOKEN not in answer.out + answer.err
    files = [path for path in run.path.rglob("*") if path.is_file()]
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
    assert not [name for name, content in sent(hub).items() if TOKEN.encode() in content]


def test_a_link_out_of_the_folder_and_hidden_files_stay_at_home(
    run: Run, hub: HubStandIn, tmp_path: Path
) -> None:
    (run.adapter / ".env").write_text("KEY=1")
    assert ".env" not in [one.name for one in hub_files.collected(run.adapter, rows=False)]
    secret = tmp_path / "secret.txt"
    secret.write_text("mine")
    (run.adapter / "notes.txt").symlink_to(secret)
    with pytest.raises(RunError, match="leads out of its folder"):
        push.pieces(run, NAME, push.Options())


def test_a_folder_that_looks_like_an_id_is_no_base_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub_id("models/mine") == metadata.shown("models/mine") == "models/mine"
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert hub_id("models/mine") is None and metadata.shown("models/mine") == "mine"


def test_kept_steps_become_revisions(cli: CommandLine, hub: HubStandIn, run: Run) -> None:
    answer = cli("push", run.path, "--to", NAME, "--yes", "--steps")
    assert answer.code == 2 and "--keep-steps" in answer.err
    for step in (2, 4):
        shutil.copytree(run.adapter, run.path / "steps" / f"step-{step}")
    answer = cli("push", run.path, "--to", NAME, "--yes", "--steps", "--json")
    assert answer.code == 0, answer.err
    assert [one["revision"] for one in json.loads(answer.out)] == ["main", "step-2", "step-4"]
    card = sent(hub, "step-4")["README.md"].decode()
    assert "after step 4 of the training" in card and "model-index" not in card
    assert "canaries" not in json.loads(sent(hub, "step-4")["toolkit.json"])


# -- a training in progress ------------------------------------------------------------------------
class Training:
    """A run in progress that saves a step with each look, and removes the one before."""

    def __init__(self, run: Run, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self.steps, self.step = run, steps, 0
        monkeypatch.setattr(Run, "running", property(lambda of: "now"))
        monkeypatch.setattr("toolkit.kinds.checkpoints.problem", lambda place: None)
        self.set("running")

    def set(self, state: str) -> None:
        info = read_json(self.run.path / "run.json")
        info["stages"]["report"] = {"state": state, "seconds": 1.0}
        write_json(self.run.path / "run.json", info)

    def look(self, seconds: float) -> None:
        """Between two looks of who follows."""
        self.step += 1
        place = self.run.checkpoints / "adapter"
        shutil.rmtree(place, ignore_errors=True)
        if self.step > self.steps:
            self.set("done")
            return
        made = place / f"checkpoint-{self.step * 10}"
        made.mkdir(parents=True)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(self.run.adapter / name, made / name)
        (made / "optimizer.pt").write_bytes(b"much")
        (made / "trainer_state.json").write_text("{}")


def test_steps_become_revisions_and_the_end_the_adapter(
    hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(run, 3, monkeypatch)
    console = Console(quiet=True)
    records = push.follow(run, Hub(NAME, TOKEN), push.Options(), console, wait=training.look)
    assert [one["revision"] for one in records] == ["step-10", "step-20", "step-30", "main"]
    assert set(hub.repositories[NAME].revisions) == {"main", "step-10", "step-20", "step-30"}
    step = sent(hub, "step-20")
    assert set(step) == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert "after step 20 of the training, not measured" in step["README.md"].decode()
    assert "model-index" in sent(hub)["README.md"].decode()


def test_steps_that_fail_are_sent_later_and_the_training_is_not_touched(
    hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(run, 3, monkeypatch)
    hub.trouble = lambda path, number: (
        503 if training.step < 3 and "step-" in path and "/commit/" in path else None
    )
    console = Console(quiet=True)
    records = push.follow(run, Hub(NAME, TOKEN), push.Options(), console, wait=training.look)
    assert sorted(one["revision"] for one in records) == ["main", "step-10", "step-20", "step-30"]


def test_a_hub_that_takes_nothing_ends_the_push_alone(
    hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(run, 2, monkeypatch)
    before = {path: path.read_bytes() for path in run.adapter.iterdir()}
    hub.trouble = lambda path, number: 403 if "/commit/" in path else None
    with pytest.raises(UsageError, match="answers 403"):
        push.follow(run, Hub(NAME, TOKEN), push.Options(), Console(quiet=True), wait=training.look)
    assert {path: path.read_bytes() for path in run.adapter.iterdir()} == before


def test_a_run_that_nobody_works_at_any_more_is_said(
    hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Training(run, 1, monkeypatch)
    monkeypatch.setattr(Run, "running", property(lambda of: None))
    with pytest.raises(RunError, match="nobody works at run"):
        push.follow(run, Hub(NAME, TOKEN), push.Options(), Console(quiet=True))


def test_what_leaves_of_each_step_is_listed_before_anybody_is_asked(
    cli: CommandLine, hub: HubStandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(run, 3, monkeypatch)
    answer = cli("push", run.path, "--to", NAME, "--follow", "--dry-run")
    assert answer.code == 0 and "the adapter's weights and configuration" in answer.err
    training.look(1)
    for asked in (("--dry-run",), ()):
        answer = cli("push", run.path, "--to", NAME, "--follow", *asked)
        listed = " ".join((answer.out + answer.err).split())
        wanted = "step-N: README.md, adapter_config.json, adapter_model.safetensors at the end"
        assert wanted in listed and "optimizer" not in listed
    assert answer.code == 2 and "--yes" in answer.err and not hub.repositories
    training.set("done")
    shutil.copytree(run.adapter, run.path / "steps" / "step-2")
    answer = cli("push", run.path, "--to", NAME, "--steps", "--dry-run")
    assert "of each step, as revision step-N: README.md, adapter_config.json" in answer.err


def test_errors_name_what_has_failed(hub: HubStandIn) -> None:
    hub.trouble = lambda path, number: 500
    with pytest.raises(PushFailed, match="looking at the repository failed"):
        Hub(NAME, TOKEN).visible()
