"""ONNX for encoders: the graph by PyTorch's exporter, run by ONNX Runtime, in float32 or int8."""

from __future__ import annotations

import importlib.metadata
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra, ModelError, UsageError
from toolkit.kinds import TaskModel
from toolkit.pipeline import whole_model
from toolkit_export import merged
from toolkit_export.answers import Opened

if TYPE_CHECKING:
    from toolkit_export.export import Job

FILE = "model.onnx"
TYPES = ("float32", "int8")
NEEDED = ("onnx", "onnxruntime", "onnxscript")
OUTPUTS = {
    "sequence-classification": ("logits",),
    "question-answering": ("start_logits", "end_logits"),
    "token-classification": ("logits",),
}
"""What graphs of each kind give."""
OPSET = 18


class OnnxModel:
    """An ONNX graph that is called as the transformers model is that it was made of.

    Args:
        folder: holds :data:`FILE` and ``config.json``.

    Raises:
        ModelError: the file is no graph that can be run.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        import torch
        from transformers import AutoConfig

        self.config = AutoConfig.from_pretrained(str(folder))
        self.device = torch.device("cpu")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self.session = onnxruntime.InferenceSession(
                str(folder / FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # of a broken graph, the runtime raises errors of its own
            raise ModelError(f"{folder / FILE} cannot be run: {error}") from error
        self.reads = [one.name for one in self.session.get_inputs()]
        self.gives = [one.name for one in self.session.get_outputs()]

    def __call__(self, **inputs: Any) -> SimpleNamespace:
        """The outputs, tensors under the names that transformers gives them.

        Args:
            inputs: tensors of shape (rows, tokens).
        """
        import torch

        # A classifier's graph has no segments where the model was only given texts without any.
        given = {name: inputs[name].numpy() for name in self.reads}
        found = self.session.run(self.gives, given)
        return SimpleNamespace(
            **{name: torch.from_numpy(one) for name, one in zip(self.gives, found, strict=True)}
        )


def check(job: Job, kind: TaskModel) -> None:
    """Refuse what cannot be exported.

    Raises:
        UsageError: the run is of a model that writes.
        MissingExtra: a package is not installed.
    """
    if job.task.kind not in OUTPUTS:
        raise UsageError(
            f"--to onnx is for {', '.join(OUTPUTS)}, and {job.task.name} is a {job.task.kind} "
            "task; take --to merged"
        )
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtra("toolkit export --to onnx", "export")


def write(job: Job, kind: TaskModel, model: Any) -> None:
    """Write graph, configuration and tokenizer.

    Raises:
        ModelError: PyTorch cannot export this architecture.
    """
    merged.settle(kind, model)
    model.config.save_pretrained(str(job.folder))
    merged.write_tokenizer(kind, job.folder)
    place = job.folder / FILE
    _export(job, kind, model, place)
    if job.numbers == "int8":
        _quantize(place)


def load(job: Job) -> Opened:
    """The graph in the place of the run's model, run by ONNX Runtime."""
    graph = OnnxModel(job.folder)
    kind = whole_model.open_whole(job.run, job.task, job.folder, graph)
    return Opened(kind, f"onnxruntime {importlib.metadata.version('onnxruntime')}")


def _export(job: Job, kind: TaskModel, model: Any, place: Path) -> None:
    import torch

    names = OUTPUTS[job.task.kind]

    class Graph(torch.nn.Module):
        """The model with plain tensors as its outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(
            self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None
        ) -> tuple[Any, ...]:
            segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            out = self.model(input_ids=input_ids, attention_mask=attention_mask, **segments)
            return tuple(out[name] for name in names)

    model.set_attn_implementation("eager")
    example = _example(kind)
    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Graph().eval(), (), str(place), kwargs=example,
                input_names=list(example), output_names=list(names), opset_version=OPSET,
                dynamic_shapes=dict.fromkeys(example, sizes),
                dynamo=True, external_data=False, verbose=False,
            )  # fmt: skip
    except Exception as error:  # of what it does not know, the exporter raises errors of its own
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"PyTorch cannot export this model to ONNX: {reason}") from error


def _example(kind: Any) -> dict[str, Any]:
    """Inputs of two rows that are not alike, so that nothing of them becomes part of the graph."""
    import torch

    length = 7
    ids = torch.full((2, length), int(kind.tokenizer.pad_token_id or 0))
    ids[0] = torch.arange(length) + 3
    ids[1, :-2] = torch.arange(length - 2) + 4
    lengths = torch.tensor([[length], [length - 2]])
    found = {"input_ids": ids, "attention_mask": (torch.arange(length) < lengths).long()}
    # A classifier reads texts without segments, and question answering those of its tokenizer.
    read = [name for name in kind.tokenizer.model_input_names if name not in kind.unread]
    if kind.task.kind == "question-answering" and "token_type_ids" in read:
        found["token_type_ids"] = torch.zeros_like(ids)
    return found


def _quantize(place: Path) -> None:
    """Round the weights of a graph to 8 bits; activations are rounded as it runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = place.with_name("float32.onnx")
    place.rename(whole)
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it advises a preparation that dynamic rounding needs not
    try:
        quantize_dynamic(str(whole), str(place), weight_type=QuantType.QInt8, per_channel=True)
    finally:
        logging.root.setLevel(level)
        whole.unlink()
