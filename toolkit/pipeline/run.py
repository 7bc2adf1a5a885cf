"""``toolkit run`` and ``toolkit resume``: the stages of a run, in order.

    data → baselines → base → train → predict → score → report

Everything a stage needs is in the run directory or follows from it, so a resumed run takes the
same way: what is done is read back, what is not is done. A run that is killed loses at most what
was done since the last checkpoint.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.data.source import Source
from toolkit.errors import MissingExtra, RunError
from toolkit.kinds.base import TrainingWatch
from toolkit.models import backend_choice
from toolkit.models.paths import is_local
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.pipeline.start import _on_hub
from toolkit.plugins import recipes
from toolkit.preparation.prepare import Prepared, prepare
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit.system import distributed, environment
from toolkit.system.console import Console, duration
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.base import Kind


class Flow:
    """One pass over the stages of a run.

    Args:
        run: the run directory.
        console: where progress is shown.
    """

    def __init__(self, run: Run, console: Console) -> None:
        self.run = run
        self.console = console
        self.options: dict[str, Any] = run.info.get("options", {})
        self.source = Source.from_dict(run.info["source"])
        self.recipe = recipes.from_dict(run.info["recipe"])
        self.task = load_task(run)
        self.prepared: Prepared | None = None
        self._kind: Kind | None = None

    def go(self) -> Run:
        """Do what is left to do."""
        environment.prepare(offline=is_local(self.recipe.model) and not _on_hub(self.source))
        backend_choice.get(self._backend["name"])  # before transformers and TRL, see start()
        distributed.begin()
        self.run.info = distributed.agreed(lambda: self.run.info)
        self.prepared = self._data()
        self._baselines(self.prepared)
        self._base(self.prepared)
        self._train(self.prepared)
        self._predict(self.prepared)
        distributed.wait()
        if not distributed.first():
            return self.run
        self._score()
        self._report()
        shutil.rmtree(self.run.checkpoints, ignore_errors=True)  # only a resume needs them
        return self.run

    # -- data --------------------------------------------------------------------------------------
    def _data(self) -> Prepared:
        from toolkit.preparation import data_stage
        from toolkit.system import monitor

        self.console.heading("data")
        first = not self.run.done("data")
        versions = monitor.versions()
        if not first:
            self._same("versions", versions)
        prepared = prepare(self.task, self.source, int(self.run.info["seed"]))
        if first:
            with self.run.stage("data"):
                data_stage.look(self.run, self.task, self.kind, prepared, self.console)
                self.run.info |= {"versions": dict(versions), "hardware": monitor.hardware()}
        elif prepared.fingerprint != self.run.info["data"]["fingerprint"]:
            raise RunError(
                f"the data of run {self.run.id} has changed since it was started (fingerprint "
                f"{prepared.fingerprint[:12]}, was {self.run.info['data']['fingerprint'][:12]}); "
                "bring the old data back, or start a new run"
            )
        sizes = ", ".join(f"{name} {size:,}" for name, size in prepared.sizes.items())
        self.console.note(f"{sizes} rows{' (synthetic)' if prepared.synthetic else ''}")
        return prepared

    def _same(self, what: str, now: Mapping[str, Any]) -> None:
        """Refuse to go on with other versions than the run was started with, naming them."""
        then = self.run.info.get(what, {})
        changed = [
            f"{k} {then.get(k)} → {now.get(k)}"
            for k in {**then, **now}
            if then.get(k) != now.get(k)
        ]
        if changed and not self.run.finished:
            raise RunError(
                f"run {self.run.id} was started with other {what}: {', '.join(sorted(changed))}; "
                "install those again, or start a new run"
            )

    # -- the ladder --------------------------------------------------------------------------------
    def _baselines(self, prepared: Prepared) -> None:
        if self.run.done("baselines"):
            return
        self.console.heading("baselines")
        with self.run.stage("baselines"):
            if distributed.first():
                self._rungs(prepared)
            distributed.wait()

    def _rungs(self, prepared: Prepared) -> None:
        """Fit the baselines, in the one process that does."""
        from toolkit.evaluation import predict

        rungs = [
            *((name, fit, "baseline") for name, fit in self.task.baselines().items()),
            *((name, fit, "yardstick") for name, fit in self.task.yardsticks().items()),
        ]
        for name, fit, role in rungs:
            if predict.predicted(self.run, name):
                continue
            try:
                entry = predict.predict_baseline(
                    self.run, self.task, name, fit, prepared.splits, role
                )
            except MissingExtra as error:
                predict.absent(self.run, name, str(error))
                self.console.warn(f"{name}: left out, {error}")
                continue
            self._told(entry, name, entry["fit_seconds"] + entry["predict_seconds"])

    def _predicted(self, name: str) -> bool:
        """Whether a system's predictions are there already; the same in all processes."""
        from toolkit.evaluation import predict

        return bool(distributed.agreed(lambda: predict.predicted(self.run, name)))

    def _base(self, prepared: Prepared) -> None:
        from toolkit.evaluation import predict

        if self.run.done("base"):
            return
        self.console.heading(f"base model ({self.recipe.model})")
        with self.run.stage("base"):
            started = time.perf_counter()
            if distributed.first():
                self.kind.fit_base(prepared.splits["train"], self.run.base)
            distributed.wait()
            if not distributed.first():
                self.kind.load_base(self.run.base)
            fitted = time.perf_counter() - started
            shots = self._shots(prepared)
            for name, role, examples in (("base", "base", ()), ("few-shot", "few-shot", shots)):
                if self._predicted(name) or (name == "few-shot" and not examples):
                    continue
                with self.console.track(name) as progress:
                    entry = predict.predict_model(
                        self.run, self.task, self.kind, name, role, prepared.splits,
                        adapter=False, shots=examples, decoder=self._decoder, progress=progress,
                        fit_seconds=fitted if self.kind.base_note else None,
                        note=self.kind.base_note, perplexity=role == "base",
                    )  # fmt: skip
                self._told(entry, name, entry["predict_seconds"])
            self._variants(prepared, "baseline", adapter=False)

    def _variants(self, prepared: Prepared, role: str, *, adapter: bool) -> None:
        """Further systems of the model in memory: a random head, several checkpoints together."""
        from toolkit.evaluation import predict

        for name, note in self.kind.variants(adapter=adapter).items():
            if self._predicted(name):
                continue
            with self.kind.as_variant(name), self.console.track(name) as progress:
                entry = predict.predict_model(
                    self.run, self.task, self.kind, name, role, prepared.splits,
                    adapter=adapter, decoder=self._decoder, progress=progress, note=note,
                )  # fmt: skip
            self._told(entry, name, entry["predict_seconds"])

    def _shots(self, prepared: Prepared) -> list[Row]:
        """Training rows for the few-shot prompt, drawn by the seed."""
        train = prepared.splits["train"]
        count = min(int(getattr(self.task, "few_shot", 0)), len(train))
        drawn = train.shuffle(seed=int(self.run.info["seed"])).select(range(count))
        return [dict(row) for row in drawn]

    # -- training ----------------------------------------------------------------------------------
    def _train(self, prepared: Prepared) -> None:
        if self.run.done("train"):
            return
        self.console.heading("training")
        self.console.note(f"backend {self._backend['name']}: {self._backend['reason']}")
        if distributed.count() > 1:
            self.console.note(f"{distributed.count()} processes share training and answering")
        with self.run.stage("train"):
            for index in range(self._seeds):
                name = adapter_name(index)
                done = self.run.path / name / "toolkit.json"
                if distributed.agreed(done.is_file):
                    continue
                self._train_one(prepared, index, name)

    def _train_one(self, prepared: Prepared, index: int, name: str) -> None:
        from toolkit.pipeline import train

        if index:
            self.console.note(f"seed {index + 1} of {self._seeds}")
        self.kind.seed = int(self.run.info["seed"]) + index
        with self.console.track("training") as progress:

            def on_log(entry: dict[str, Any]) -> None:
                if index == 0:
                    train.keep_curve(self.run, entry)
                line = train.describe(entry, self.task.metric())
                progress.detail = line if "loss" in entry else progress.detail
                if "eval_loss" in entry:
                    self.console.note(line)

            def on_step(step: int, steps: int, tokens: int) -> None:
                progress(step, steps)

            trained = train.train(
                self.kind, prepared.splits, self.run, name, TrainingWatch(on_log, on_step),
                self._tracking(index),
            )  # fmt: skip
        if index == 0:
            self.run.info["training"] = trained.info
            write_json(self.run.path / "history.json", trained.history)
        else:
            self.run.info["training"].setdefault("further_seeds", []).append(trained.info)
        self.run.save()
        self.console.note(train.summary(trained.info))

    def _tracking(self, index: int) -> dict[str, Any]:
        from toolkit.pipeline import train

        if reason := train.untracked(self.recipe.training):
            self.console.note(reason)
        return train.fields(
            self.recipe.training,
            runs=self.run.path.parent.parent,
            project=self.task.name,
            run_name=self.run.id + (f"-seed-{index}" if index else ""),
        )

    def _predict(self, prepared: Prepared) -> None:
        from toolkit.evaluation import predict

        if self.run.done("predict"):
            return
        self.console.heading("adapter on held-out rows")
        with self.run.stage("predict"):
            for index in range(self._seeds):
                name = system_name(self.kind.role, index)
                answered = self._predicted(name)
                if answered and index:
                    continue
                self.kind.load_adapter(self.run.path / adapter_name(index))
                if not answered:
                    self._predict_adapter(prepared, index, name)
                if index == 0:  # an earlier try may have ended between the adapter and these
                    self._variants(prepared, "ensemble", adapter=True)
                    if reason := self.run.info["training"].get("no_ensemble"):
                        predict.absent(self.run, "ensemble", reason)

    def _predict_adapter(self, prepared: Prepared, index: int, name: str) -> None:
        from toolkit.evaluation import latency, predict

        with self.console.track(name) as progress:
            entry = predict.predict_model(
                self.run, self.task, self.kind, name, self.kind.role, prepared.splits,
                adapter=True, decoder=self._decoder, progress=progress,
                fit_seconds=self.run.info["training"]["seconds"], perplexity=index == 0,
            )  # fmt: skip
        if index == 0 and distributed.first():
            rows = [dict(row) for row in prepared.splits["test"]]
            self.run.info["speed"] = latency.measure(self.kind, rows)
            self.run.save()
        self._told(entry, f"{name}, decoder {entry['decoder']}", entry["predict_seconds"])

    # -- the answer --------------------------------------------------------------------------------
    def _score(self) -> None:
        if self.run.done("score"):
            return
        from toolkit.evaluation import score, trainer_results

        self.console.heading("scoring")
        with self.run.stage("score"):
            document = score.score(self.run, self.task)
            write_json(self.run.path / "metrics.json", document)
            trainer_results.write(self.run, document)

    def _report(self) -> None:
        if self.run.done("report"):
            return
        from toolkit.reporting import report

        self.console.heading("report")
        with self.run.stage("report"):
            report.write(self.run, self.task)

    # -- small things ------------------------------------------------------------------------------
    @property
    def kind(self) -> Kind:
        if self._kind is None:
            self._kind = make_kind(self.run, self.task, backend_choice.get(self._backend["name"]))
        return self._kind

    @property
    def _backend(self) -> dict[str, str]:
        """The run's backend; runs from before there was a choice have the plain one."""
        plain = {"name": backend_choice.TRANSFORMERS, "reason": "as before"}
        return dict(self.run.info.get("backend") or plain)

    @property
    def _seeds(self) -> int:
        return int(self.options.get("seeds", 1))

    @property
    def _decoder(self) -> str | None:
        return self.task.settings.get("decoder")

    def _told(self, entry: Mapping[str, Any], label: str, seconds: float) -> None:
        metric = self.task.metric()
        figure = format(entry["select"], metric.format)
        self.console.note(
            f"{label}: {metric.name} {figure}{metric.unit} on select, {duration(seconds)}"
        )


def adapter_name(index: int) -> str:
    """The folder of what was trained with a seed; the first is plain ``adapter``."""
    return system_name("adapter", index)


def system_name(role: str, index: int) -> str:
    """The name of what was trained with a seed: ``adapter`` or ``full``, then with a number."""
    return f"{role}-seed-{index}" if index else role
