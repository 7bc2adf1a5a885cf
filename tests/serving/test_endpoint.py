"""The client of OpenAI-compatible APIs in front of ``toolkit serve``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving_fixtures import Site
from toolkit.models.endpoint import Endpoint, Settings, Unanswered
from toolkit.pipeline.ladder import prompts
from toolkit.runs.files import read_jsonl

pytestmark = pytest.mark.slow


def asked(site: Site, **settings: Any) -> Endpoint:
    return Endpoint(Settings(url=f"{site.url}/v1", model="kinds", **settings))


def test_text_completions_are_the_predictions_of_the_run(
    site: Site, served_runs: dict[str, Path]
) -> None:
    run = served_runs["kinds"]
    rows = {row["row_id"]: row for row in read_jsonl(run / "data/heldout.jsonl")}
    lines = [x for x in read_jsonl(run / "predictions/adapter.jsonl") if x["split"] == "test"][:8]
    task = site.service.writer("kinds").task
    endpoint = asked(site)
    for line in lines:
        body = prompts.text(task, rows[line["row_id"]], ())
        reply = endpoint.ask("completions", {**body, "max_tokens": 64})
        assert reply.text == line["raw"]
        assert reply.read and reply.written is not None
    endpoint.close()


def test_chats_are_answered_and_what_the_server_refuses_is_said(site: Site) -> None:
    endpoint = asked(site, max_tokens=4)
    reply = endpoint.ask("chat/completions", {"messages": [{"role": "user", "content": "oak"}]})
    assert reply.hit_limit or reply.text
    with pytest.raises(Unanswered, match="400"):
        endpoint.ask("chat/completions", {"messages": [], "tools": [{"type": "function"}]})
    endpoint.close()
    assert json.dumps(endpoint.counts)
