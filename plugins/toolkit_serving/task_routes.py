"""``POST /tasks/NAME/predict``: the predictions of ``toolkit predict``, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, create_model

from toolkit.errors import ToolkitError
from toolkit_serving.errors import ApiError
from toolkit_serving.jobs import Predicting
from toolkit_serving.openai_routes import FAILURES
from toolkit_serving.schema import Predictions, PredictRequest
from toolkit_serving.served import Served
from toolkit_serving.service import Service


class TaskInfo(BaseModel):
    """A task that can be asked."""

    name: str
    task: str
    summary: str
    run: str
    inputs: dict[str, str] = Field(description="The columns of its inputs, and what they hold.")
    writes: bool = Field(description="Whether /v1 has it too.")


class TaskList(BaseModel):
    """The answer of ``/tasks``."""

    tasks: list[TaskInfo]


def router(service: Service) -> APIRouter:
    """A route for each run that is served."""
    made = APIRouter(prefix="/tasks", tags=["Tasks"], responses=FAILURES)

    @made.get("")
    async def tasks() -> TaskList:
        """The tasks that can be asked."""
        return TaskList(tasks=[_info(one) for one in service.fleet.members.values()])

    for name, served in service.fleet.members.items():
        made.add_api_route(
            f"/{name}/predict",
            _endpoint(service, served),
            methods=["POST"],
            response_model=Predictions,
            response_model_exclude_unset=True,
            operation_id=f"predict-{name}",
            summary=f"{served.task.name}: {served.task.summary}",
            description=f"Inputs: {', '.join(served.columns)}.",
        )
    return made


def _info(served: Served) -> TaskInfo:
    about = served.task.columns
    return TaskInfo(
        name=served.name,
        task=served.task.name,
        summary=str(served.task.summary),
        run=served.run.id,
        inputs={column: str(about.get(column, "")) for column in served.columns},
        writes=served.writes,
    )


def _endpoint(service: Service, served: Served) -> Callable[..., Awaitable[Any]]:
    async def predict(body: Any, request: Request) -> Any:
        if len(body.rows) > service.limits.rows:
            raise ApiError(
                413, f"a request may have {service.limits.rows:,} rows, and this one has more"
            )
        try:
            rows = await run_in_threadpool(served.rows, body.rows)
        except ToolkitError as error:
            raise ApiError(400, str(error), param="rows") from error
        job = Predicting(served, rows, base=body.base)
        service.note(request, served.name, rows=body.rows)
        await service.answers([job], request)
        service.predicted(request, job)
        return {
            "task": served.task.name,
            "run": served.run.id,
            "system": served.system(base=body.base),
            "decoder": served.decoder(base=body.base),
            "predictions": job.answers,
        }

    # The model of a task's requests is made here, so its annotation cannot be written above.
    predict.__annotations__ = {"body": _model(served), "request": Request, "return": Any}
    return predict


def _model(served: Served) -> type[PredictRequest]:
    """The request's model, with an example of the task's own inputs."""
    row: Any = dict.fromkeys(served.columns, "text")
    if served.task.panel and served.task.panel.examples:
        row = {name: str(served.task.panel.examples[0].get(name, "text")) for name in row}
    title = "".join(part.capitalize() for part in served.name.replace(".", "-").split("-"))
    return create_model(
        f"{title}PredictRequest", __base__=PredictRequest, __doc__=PredictRequest.__doc__,
        __cls_kwargs__={"json_schema_extra": {"examples": [{"rows": [row]}]}},
    )  # fmt: skip
