"""``toolkit export``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.run_options import Json, Runs, TrustRemoteCode, TrustTaskFile


class Form(StrEnum):
    """What a trained model is exported to."""

    merged = "merged"
    gguf = "gguf"
    onnx = "onnx"


class Numbers(StrEnum):
    """The types of weights; not every form has all of them."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"
    q8_0 = "q8_0"
    int8 = "int8"


def export(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="Folder or ID of a finished run.")],
    to: Annotated[Form, typer.Option("--to", help="The form.")],
    numbers: Annotated[
        Numbers | None,
        typer.Option(
            "--type",
            help="Type of the weights: float32, bfloat16, float16 (merged, gguf), q8_0 (gguf), "
            "float32 or int8 (onnx).",
            show_default="the base's own; gguf: float16; onnx: float32",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="exports/FORM in the run"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Ask all held-out rows, and not 200 of them.")
    ] = False,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="The share of the adapter's figure by which the export may be worse.",
            show_default="the task's",
        ),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Keep an export that is refused, marked as such.")
    ] = False,
    converter: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="llama.cpp's convert_hf_to_gguf.py, which is run: for --to gguf of models that "
            "the toolkit has no GGUF file of.",
        ),
    ] = None,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Write a trained model in another form, and check that it answers as the adapter does."""
    from toolkit.runs import Run, runs_folder
    from toolkit.system import Console
    from toolkit_export import export as exporting

    options = exporting.Options(
        form=to.value, numbers=numbers.value if numbers else None, out=out, every=every,
        margin=margin, anyway=anyway, converter=converter,
    )  # fmt: skip
    run = Run.find(run_name, runs_folder(runs))
    record = exporting.export(run, options, Console(quiet=as_json))
    if as_json:
        typer.echo(json.dumps(record))
