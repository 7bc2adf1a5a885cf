"""OpenAI's API as its own client sees it."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from serving_fixtures import Site
from toolkit.kinds import TextModel
from toolkit_serving import messages

pytestmark = pytest.mark.slow

MODELS = ("base", "kinds", "prices")
TITLES = ("red oak thing", "small silk", "a pair of old things 7", "blue", "green steel large x")


def alone(site: Site, model: str, text: str, most: int, *, chat: bool = True) -> str:
    """The answer of a model without a server, by itself."""
    served = site.service.writer(model)
    kind = served.kind
    assert isinstance(kind, TextModel)
    talk = [{"role": "user", "content": text}]
    ids = messages.of_conversation(served, model, talk) if chat else messages.of_text(served, text)
    side = site.service.fleet.side(model)
    (made,) = kind.write_texts([ids], [side], generation={"max_new_tokens": most})
    return made.text


def said(client: openai.OpenAI, model: str, text: str, **options: Any) -> Any:
    talk: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model=model, messages=talk, **options)


def test_the_models(client: openai.OpenAI, site: Site) -> None:
    listed = {one.id: one for one in client.models.list()}
    assert tuple(listed) == MODELS  # the encoder writes no text
    assert client.models.retrieve("kinds").id == "kinds"
    with pytest.raises(openai.NotFoundError, match="does not exist; there is base, kinds, prices"):
        client.models.retrieve("nothing")


def test_answers_that_come_together_are_those_of_each_alone(
    client: openai.OpenAI, site: Site
) -> None:
    wanted = [(model, text) for text in TITLES for model in MODELS]
    before = {one: alone(site, *one, 12) for one in wanted}
    assert len(set(before.values())) > len(TITLES)  # models and prompts differ in their answers
    with ThreadPoolExecutor(len(wanted)) as pool:
        found = list(pool.map(lambda one: said(client, *one, max_tokens=12), wanted))
    assert [one.choices[0].message.content for one in found] == [before[one] for one in wanted]
    lines = serving_lines(site)[-len(wanted) :]
    assert max(line["batch"] for line in lines) > 1


def serving_lines(site: Site) -> list[dict[str, Any]]:
    import json

    found = [json.loads(line) for line in site.log.getvalue().splitlines()]
    return [line for line in found if "completion_tokens" in line]


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_gives_the_same_text(client: openai.OpenAI, model: str) -> None:
    whole = said(client, model, "red oak thing", max_tokens=20)
    events = list(
        said(client, model, "red oak thing", max_tokens=20, stream=True,
             stream_options={"include_usage": True})
    )  # fmt: skip
    pieces = [one.choices[0].delta.content or "" for one in events if one.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    reasons = [one.choices[0].finish_reason for one in events if one.choices]
    assert reasons[-1] == whole.choices[0].finish_reason and not any(reasons[:-1])
    assert events[-1].usage == whole.usage and not events[-1].choices
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


def test_it_ends_at_the_limit(client: openai.OpenAI) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        found = said(client, "base", "red", **{name: 3})
        assert found.usage.completion_tokens == 3 and found.choices[0].finish_reason == "length"


def test_it_ends_before_a_stop_text(client: openai.OpenAI, site: Site) -> None:
    text = alone(site, "base", "small silk", 30)
    stop = text[4:6]
    found = said(client, "base", "small silk", max_tokens=30, stop=[stop, "never written"])
    assert found.choices[0].message.content == text[: text.index(stop)]
    assert found.choices[0].finish_reason == "stop" and found.usage.completion_tokens < 30
    events = said(client, "base", "small silk", max_tokens=30, stop=stop, stream=True)
    streamed = "".join(one.choices[0].delta.content or "" for one in events)
    assert streamed == text[: text.index(stop)]


def test_a_seed_decides_whatever_else_is_in_the_batch(client: openai.OpenAI) -> None:
    options = {"temperature": 1.0, "max_tokens": 16}
    first = said(client, "base", "red", seed=5, **options).choices[0].message.content
    other = said(client, "base", "red", seed=6, **options).choices[0].message.content
    assert first != other
    with ThreadPoolExecutor(8) as pool:
        seeds = [5, 1, 2, 5, 3, 4, 5, 6]
        found = list(pool.map(lambda n: said(client, "base", "red", seed=n, **options), seeds))
    texts = [one.choices[0].message.content for one in found]
    assert [text for seed, text in zip(seeds, texts, strict=True) if seed == 5] == [first] * 3
    free = {said(client, "base", "red", **options).choices[0].message.content for _ in range(4)}
    assert len(free) > 1


def test_log_probabilities(client: openai.OpenAI) -> None:
    found = said(client, "base", "red", max_tokens=5, logprobs=True, top_logprobs=3)
    tokens = found.choices[0].logprobs.content
    assert len(tokens) == 5
    for one in tokens:  # greedy: the token is the first of the most probable ones
        assert one.token == one.top_logprobs[0].token and one.logprob == one.top_logprobs[0].logprob
        values = [other.logprob for other in one.top_logprobs]
        assert len(values) == 3 and values == sorted(values, reverse=True)
        assert sum(map(math.exp, values)) < 1
    text = client.completions.create(model="base", prompt="red", max_tokens=4, logprobs=2)
    listed = text.choices[0].logprobs
    assert listed is not None and listed.tokens is not None and listed.top_logprobs is not None
    assert len(listed.tokens) == len(listed.token_logprobs or ()) == 4
    assert all(len(one) == 2 for one in listed.top_logprobs)
    events = list(
        said(client, "base", "red", max_tokens=5, logprobs=True, top_logprobs=3, stream=True)
    )
    parts = [one.choices[0].logprobs for one in events if one.choices]
    streamed = [each for one in parts if one is not None for each in one.content or ()]
    assert [one.token for one in streamed] == [one.token for one in tokens]


def test_completions_of_texts_and_of_tokens(client: openai.OpenAI, site: Site) -> None:
    texts = list(TITLES[:3])
    found = client.completions.create(model="prices", prompt=texts, max_tokens=9)
    assert [one.index for one in found.choices] == [0, 1, 2]
    wanted = [alone(site, "prices", text, 9, chat=False) for text in texts]
    assert [one.text for one in found.choices] == wanted
    ids = [messages.of_text(site.service.writer("prices"), text) for text in texts]
    again = client.completions.create(model="prices", prompt=ids, max_tokens=9)
    assert [one.text for one in again.choices] == wanted
    single = client.completions.create(model="prices", prompt=ids[1], max_tokens=9)
    assert single.choices[0].text == wanted[1]
    events = client.completions.create(model="prices", prompt=texts, max_tokens=9, stream=True)
    streamed = ["", "", ""]
    for event in events:
        for choice in event.choices:
            streamed[choice.index] += choice.text
    assert streamed == wanted


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "nothing"}, "does not exist"),
        ({"n": 2}, "n: "),
        ({"temperature": -1}, "temperature: "),
        ({"top_p": 0}, "top_p: "),
        ({"max_tokens": 0}, "max_tokens: "),
        ({"max_tokens": 100_000}, "maximum context length"),
        ({"presence_penalty": 1.0}, "presence_penalty is not supported"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools is not supported"),
        ({"response_format": {"type": "json_object"}}, "response_format is not supported"),
        ({"top_logprobs": 2}, "top_logprobs needs logprobs"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"messages": []}, "messages: "),
        ({"messages": [{"role": "user", "content": "red " * 600}]}, "maximum context length"),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "http://x"}}]}]},
            "only text",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(client: openai.OpenAI, options: dict[str, Any], sentence: str) -> None:
    asked: dict[str, Any] = {
        "model": "base", "messages": [{"role": "user", "content": "red"}], "max_tokens": 4,
        **options,
    }  # fmt: skip
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**asked)
    assert caught.value.status_code == (404 if "model" in options else 400)
    body: Any = caught.value.body
    assert sentence in body["message"] and set(body) == {"message", "type", "param", "code"}


def test_parts_of_a_message_are_one_text(client: openai.OpenAI) -> None:
    parts: Any = [{"role": "user", "content": [
        {"type": "text", "text": "red "}, {"type": "text", "text": "oak"}]}]  # fmt: skip
    found = client.chat.completions.create(model="base", messages=parts, max_tokens=6)
    whole = said(client, "base", "red oak", max_tokens=6)
    assert found.choices[0].message.content == whole.choices[0].message.content
