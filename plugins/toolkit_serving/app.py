"""The application: routes, middleware, and errors in one form."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException

import toolkit
from toolkit.errors import ToolkitError
from toolkit.system.doors import Doorkeeper, Names
from toolkit_serving import openai_routes, task_routes
from toolkit_serving.engine import Engine
from toolkit_serving.errors import ApiError
from toolkit_serving.guards import Gate, Recorder
from toolkit_serving.keys import Keys
from toolkit_serving.service import Service


class Status(BaseModel):
    """The answer of ``/health`` and ``/ready``."""

    status: str


def build(service: Service, keys: Keys, names: Names) -> FastAPI:
    """The application.

    Args:
        service: answers requests.
        keys: the API keys; none lets everybody in.
        names: the hosts that it is served under.
    """
    # The pages of FastAPI's documentation load scripts from elsewhere; the schema itself is here.
    app = FastAPI(
        title="adapter-toolkit", version=toolkit.__version__, docs_url=None, redoc_url=None
    )
    if service.fleet.first is not None and isinstance(service.engine, Engine):
        app.include_router(openai_routes.router(service))
    app.include_router(task_routes.router(service))
    _add_status(app, service)
    _add_errors(app)
    # The last one added is the outermost.
    app.add_middleware(Gate, keys=keys, limits=service.limits, telemetry=service.telemetry)
    app.add_middleware(Doorkeeper, names=names)
    app.add_middleware(Recorder, telemetry=service.telemetry)
    app.openapi = lambda: _schema(app, list(service.fleet.writers), bool(keys))  # type: ignore[method-assign]
    return app


def _add_status(app: FastAPI, service: Service) -> None:
    @app.get("/health", tags=["Status"])
    async def health() -> Status:
        """The process answers."""
        return Status(status="ok")

    @app.get("/ready", tags=["Status"], responses={503: {"model": Status}})
    async def ready(response: Response) -> Status:
        """The models are loaded, and requests are answered."""
        if await run_in_threadpool(lambda: service.engine.ready):
            return Status(status="ready")
        response.status_code = 503
        return Status(status="stopping")

    @app.get("/metrics", tags=["Status"], responses={200: {"content": {"text/plain": {}}}},
             response_class=Response)  # fmt: skip
    async def metrics() -> Response:
        """Prometheus' metrics."""
        text = generate_latest(service.telemetry.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)


def _add_errors(app: FastAPI) -> None:
    def answer(error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), error.status, error.headers())

    @app.exception_handler(ApiError)
    async def api(request: Request, error: ApiError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(ToolkitError)
    async def ours(request: Request, error: ToolkitError) -> JSONResponse:
        return answer(ApiError(400, str(error)))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(_invalid(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        made = ApiError(error.status_code, f"{request.method} {request.url.path}: {error.detail}")
        return JSONResponse(made.body(), made.status, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return answer(ApiError(500, "the server failed on this request"))


def _invalid(error: RequestValidationError) -> ApiError:
    """The first thing that is wrong with a request, without repeating its texts."""
    first: dict[str, Any] = error.errors()[0]
    place = [str(part) for part in first.get("loc", ()) if part != "body"]
    if first.get("type") == "json_invalid":
        return ApiError(400, "the body is no valid JSON")
    param = ".".join(place) or None
    return ApiError(400, f"{param or 'the body'}: {first.get('msg', 'is invalid')}", param=param)


def _schema(app: FastAPI, models: list[str], keyed: bool) -> dict[str, Any]:
    """The OpenAPI schema; what FastAPI would answer with 422 is answered with 400 here."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes)
        for methods in made["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)
        schemas = made.get("components", {}).get("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for name in ("ChatRequest", "CompletionRequest"):
            if name in schemas:
                schemas[name]["properties"]["model"]["enum"] = models
        if keyed:
            made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{"key": []}]
        app.openapi_schema = made
    return app.openapi_schema
