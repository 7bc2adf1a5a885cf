"""Where texts end: one set of stop tokens for predictions, following, and the playground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layout_tokenizers import byte_level, chat, gpt2, written
from toolkit.errors import UsageError
from toolkit.kinds.causal_lm.number_distribution import NumberReader
from toolkit.kinds.language.generate import generate
from toolkit.kinds.watching import Watch
from toolkit.models.limits import Limits
from toolkit.models.loading import load_tokens


def ids_of(tokenizer: Any, *words: str) -> list[int]:
    found = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in words]
    assert all(len(ids) == 1 for ids in found)
    return [ids[0] for ids in found]


class Known:
    """A model that answers ``?`` with ``4`` and its end of turn, and then ``9`` for ever."""

    def __init__(self, folder: Path, made: Any, end: str, stops: Any, **config: Any) -> None:
        ask, four, nine = ids_of(made, "?", "4", "9")
        self.end = made.convert_tokens_to_ids(end)
        after = {ask: four, four: self.end, self.end: nine, nine: nine}
        self.model = written(folder, made, after, stops=stops, **config)
        self.tokenizer, self.limits = load_tokens(str(folder))
        self.prompt = self.tokenizer("2+2?", add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(tmp_path_factory.mktemp("known"), chat(), "<|end|>", [4, 2])


def test_an_answer_ends_at_any_of_the_models_stop_tokens(known: Known) -> None:
    answers = generate(
        known.model, known.tokenizer, [known.prompt, known.prompt[1:]],
        generation={"max_new_tokens": 8}, bounds=known.limits,
    )  # fmt: skip
    assert [(a.text, a.tokens, a.hit_limit) for a in answers] == [("4", 2, False)] * 2
    # Whoever gives no limits gets those of the model in memory.
    (again,) = generate(known.model, known.tokenizer, [known.prompt])
    assert (again.text, again.tokens, again.hit_limit) == ("4", 2, False)


def test_a_recipe_may_name_other_ends(known: Known) -> None:
    (nine,) = ids_of(known.tokenizer, "9")
    for ends in (nine, [nine]):
        (answer,) = generate(
            known.model, known.tokenizer, [known.prompt],
            generation={"max_new_tokens": 8, "eos_token_id": ends},
        )  # fmt: skip
        assert answer.tokens == 3 and not answer.hit_limit


@pytest.mark.parametrize("stops", [None, [0]])
def test_padding_that_is_the_end_loses_nothing(tmp_path: Path, stops: Any) -> None:
    known = Known(tmp_path, gpt2(), "<|endoftext|>", stops)
    assert known.tokenizer.pad_token_id == known.tokenizer.eos_token_id == 0
    prompts = [known.prompt, known.prompt[-1:] * 20, known.prompt[1:]]
    together = generate(known.model, known.tokenizer, prompts, bounds=known.limits)
    assert [(a.text, a.tokens, a.hit_limit) for a in together] == [("4", 2, False)] * 3


def test_a_model_whose_tokenizer_has_no_end_stops_at_its_own(tmp_path: Path) -> None:
    known = Known(tmp_path, byte_level(["<|x|>", "<|end|>"]), "<|end|>", 1)
    (answer,) = generate(known.model, known.tokenizer, [known.prompt], bounds=known.limits)
    assert (answer.text, answer.tokens) == ("4", 2)


def test_following_ends_with_the_answer(known: Known) -> None:
    seen: list[tuple[int, int]] = []
    watch = Watch(on_token=lambda index, token: seen.append((index, token)))
    (four,) = ids_of(known.tokenizer, "4")
    generate(
        known.model, known.tokenizer, [known.prompt, known.prompt[-1:] * 3],
        watch=watch, bounds=known.limits, limits=[1, None],
    )  # fmt: skip
    assert sorted(seen) == sorted([(0, four), (1, four), (1, known.end)])


def test_the_limit_of_new_tokens_is_told_from_an_end(known: Known) -> None:
    for limit, expected in ((1, True), (2, False)):
        (answer,) = generate(
            known.model, known.tokenizer, [known.prompt], generation={"max_new_tokens": limit}
        )
        assert answer.text == "4" and answer.hit_limit is expected


# -- positions -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """It never ends by itself."""
    place = tmp_path_factory.mktemp("short")
    return Known(place, gpt2(), "9", [0], max_position_embeddings=16)


def test_the_room_for_the_answer_shrinks_with_the_prompt(short: Known) -> None:
    prompts = [short.prompt[-1:] * length for length in (4, 12, 15)]
    answers = generate(
        short.model, short.tokenizer, prompts, bounds=short.limits,
        generation={"max_new_tokens": 6, "min_new_tokens": 5},
    )  # fmt: skip
    assert [a.tokens for a in answers] == [6, 4, 1]
    assert all(a.hit_limit for a in answers)


def test_a_prompt_without_room_is_refused_in_a_sentence(short: Known) -> None:
    with pytest.raises(UsageError, match=r"16 tokens leaves no room.*positions for 16"):
        generate(short.model, short.tokenizer, [short.prompt[-1:] * 16], bounds=short.limits)


def test_numbers_are_read_as_far_as_there_are_positions() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = gpt2()
    tokenizer.pad_token = tokenizer.eos_token
    sizes = {"n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2}
    config = GPT2Config(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0, **sizes)
    model = GPT2LMHeadModel(config).eval()
    reader = NumberReader(tokenizer, 99_999, bounds=Limits(stops=(0,), positions=16))
    assert not reader.one_pass
    prompts = [[20] * length for length in (4, 14, 15)]
    several = reader.read(model, prompts)
    (free,) = NumberReader(tokenizer, 99_999).read(model, prompts[:1])
    assert several[0].numbers is not None and free.numbers is not None
    assert several[0].numbers.values.tolist() == free.numbers.values.tolist()
    assert all(read.numbers is not None and read.numbers.values.size for read in several)
    with pytest.raises(IndexError):
        NumberReader(tokenizer, 99_999).read(model, prompts[2:])


def test_encoder_decoders_read_and_write_within_their_positions(tmp_path: Path) -> None:
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(0)
    tokenizer = chat()
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
            decoder_ffn_dim=16, max_position_embeddings=16, decoder_start_token_id=4,
            eos_token_id=4, bos_token_id=0, pad_token_id=3, forced_eos_token_id=4,
        )
    ).eval()  # fmt: skip
    bounds = Limits(stops=(4,), positions=16, answer_positions=16)
    prompts = [[7] * 16, [7] * 3]
    for limit, written_tokens in ((8, 8), (64, 15)):
        for answer in generate(
            model, tokenizer, prompts, bounds=bounds,
            generation={"max_new_tokens": limit, "suppress_tokens": None},
        ):  # fmt: skip
            assert answer.tokens <= written_tokens
            # The end at the limit is one that the settings force, not one that the model chose.
            assert answer.hit_limit is (answer.tokens == written_tokens)
    with pytest.raises(UsageError, match="positions for 16"):
        generate(model, tokenizer, [[7] * 17], bounds=bounds)
