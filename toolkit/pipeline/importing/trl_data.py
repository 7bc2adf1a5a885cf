"""The data of a training by TRL: its data set as a key of a task file."""

from __future__ import annotations

from toolkit.errors import UsageError
from toolkit.pipeline.importing.draft import Draft, Left
from toolkit.pipeline.importing.places import Places
from toolkit.pipeline.importing.values import shown, table, text

LOADERS = ("json", "csv", "parquet", "arrow", "text")


def data(draft: Draft, places: Places) -> None:
    """Carry over the data set. Its form is found by its columns, here as there.

    Raises:
        UsageError: there is none, or its file cannot be read.
    """
    name, config = draft.take("dataset_name", text), draft.take("dataset_config", text)
    mixture = draft.take("datasets", lambda key, value: value)
    draft.task["kind"] = "causal-lm"
    if not mixture:
        if name is None:
            raise UsageError("dataset_name is missing: the file names no data")
        found = places.data(name)
        draft.task["data"] = f"{found}:{config}" if config else found
        return
    if not isinstance(mixture, list):
        raise UsageError("datasets must be a list of data sets")
    first = table("datasets", mixture[0])
    path, files = text("datasets.path", first.get("path")), first.get("data_files")
    if files:
        files = files if isinstance(files, list) else [files]
        file = text("data_files", files[0])
        draft.task["data"] = places.data(file if path in LOADERS else f"{path}/{file}")
    else:
        found, subset = places.data(path), first.get("name")
        draft.task["data"] = f"{found}:{text('name', subset)}" if subset else found
    for key, value in first.items():
        if key not in ("path", "name", "data_files") and value not in (None, "train"):
            draft.left.append(
                Left(f"datasets.{key}", shown(key, value), "the whole data set is read")
            )
    if len(mixture) > 1 or (isinstance(files, list) and len(files) > 1):
        draft.left.append(
            Left("datasets", str(len(mixture)), "a task file names one data set; join their rows")
        )
    if name is not None:
        draft.left.append(
            Left("dataset_name", shown("", name), "datasets goes before it, as there")
        )
