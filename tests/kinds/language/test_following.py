"""Texts followed token by token: the probabilities are the model's, along any words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from toolkit.kinds import BASE, follow
from toolkit.kinds.language.following import TOP
from toolkit.kinds.language.prompt import IGNORED
from toolkit.models import base_weights
from toolkit.pipeline.predict import open_run
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run

LIMIT = 7


@pytest.fixture(scope="module", params=["played", "played_notes"])
def loaded(request: pytest.FixtureRequest) -> tuple[Any, list[list[int]]]:
    """A decoder's or an encoder–decoder's kind, and prompts of held-out rows."""
    place: Path = request.getfixturevalue(request.param)
    run = Run.open(place)
    _, kind = open_run(run)
    rows = read_jsonl(run.data / "heldout.jsonl")[:2]
    return kind, [kind.prompt(row) for row in rows]


def computed(kind: Any, prompt: list[int], answer: list[int], side: str) -> Any:
    """Probabilities of all tokens at each place of an answer, from one forward pass."""
    apart = kind.model.config.is_encoder_decoder
    encoded = (
        (prompt, answer) if apart else ([*prompt, *answer], [IGNORED] * len(prompt) + list(answer))
    )
    with torch.inference_mode():
        if side == BASE:
            with base_weights.untouched(kind.model):
                logits, labels = kind.labelled_logits([encoded])
        else:
            kind.select(side)
            logits, labels = kind.labelled_logits([encoded])
    return torch.softmax(logits[0][labels[0] != IGNORED].float(), -1)


def test_a_text_is_what_is_written_and_its_probabilities_are_the_models(loaded: Any) -> None:
    kind, prompts = loaded
    sides = [BASE, "default"]
    found = follow(kind, [prompts[0]] * 2, sides, limit=LIMIT)
    greedy = {"max_new_tokens": LIMIT, "do_sample": False, "num_beams": 1}
    written = kind.write_texts([prompts[0]] * 2, sides, generation=greedy)
    for places, text, side in zip(found, written, sides, strict=True):
        ids = [place.token for place in places]
        assert len(ids) == text.tokens
        kept = ids[:-1] if ids[-1] in kind.renderer.stops else ids
        assert kind.tokenizer.decode(kept, skip_special_tokens=True) == text.text
        shares = computed(kind, prompts[0], ids, side)
        for at, place in enumerate(places):
            assert place.rank == 1 and place.top[0][0] == place.token
            assert len(place.top) == TOP
            for token, share in [(place.token, place.probability), *place.top]:
                assert share == pytest.approx(float(shares[at, token]), rel=1e-3, abs=1e-6)


def test_each_side_is_asked_along_the_others_answer(loaded: Any) -> None:
    kind, prompts = loaded
    own = follow(kind, prompts, [BASE, "default"], limit=LIMIT)
    given = [[place.token for place in places] for places in own]
    led = follow(
        kind, prompts, ["default", BASE], limit=LIMIT, given=given, goes_on=False
    )  # fmt: skip
    for prompt, ids, places, side in zip(prompts, given, led, ["default", BASE], strict=True):
        assert [place.token for place in places] == ids
        shares = computed(kind, prompt, ids, side)
        for at, place in enumerate(places):
            assert place.probability == pytest.approx(
                float(shares[at, place.token]), rel=1e-3, abs=1e-7
            )
            assert place.rank == int((shares[at] > shares[at, place.token]).sum()) + 1


def test_a_text_goes_on_greedily_behind_what_is_given(loaded: Any) -> None:
    kind, prompts = loaded
    ((first, *_),) = follow(kind, [prompts[0]], [BASE], limit=1)
    other = next(token for token, _ in first.top[1:] if token not in kind.renderer.stops)
    (places,) = follow(kind, [prompts[0]], [BASE], limit=LIMIT, given=[[other]])
    ids = [place.token for place in places]
    assert ids[0] == other and len(ids) > 1
    assert all(place.rank == 1 for place in places[1:]) and places[0].rank > 1
    shares = computed(kind, prompts[0], ids, BASE)
    assert ids[1:] == shares[1:].argmax(-1).tolist()


def test_a_given_stop_token_ends_the_text_and_a_stop_ends_all(loaded: Any) -> None:
    kind, prompts = loaded
    end = kind.renderer.end
    (places,) = follow(kind, [prompts[0]], [BASE], limit=LIMIT, given=[[end]])
    assert [place.token for place in places] == [end]
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) >= 2

    (places,) = follow(kind, [prompts[0]], [BASE], limit=LIMIT, stopped=stopped)
    assert len(places) == 2
    assert follow(kind, [prompts[0]], [BASE], limit=LIMIT, given=[[]], goes_on=False) == [[]]
