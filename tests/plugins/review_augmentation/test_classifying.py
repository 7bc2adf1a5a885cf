"""The recipes of the encoders that predict sentiment and stars."""

import pytest

from toolkit import Recipe
from toolkit_review_augmentation.classifying import (
    BERT,
    FULL,
    LORA,
    ReviewRating,
    ReviewSentiment,
)


def test_all_parameters_of_bert_are_trained_as_in_the_original_project() -> None:
    assert BERT.name == "bert-base-full" and BERT.model == "bert-base-uncased"
    assert BERT.lora is None, "all 110 million parameters"
    wanted = {"per_device_train_batch_size": 16, "num_train_epochs": 3, "learning_rate": 2e-5}
    assert {name: BERT.training[name] for name in wanted} == wanted


@pytest.mark.parametrize("recipe", [LORA, FULL], ids=lambda recipe: str(recipe.name))
def test_offline_recipes_take_steps_of_32_whole_reviews(recipe: Recipe) -> None:
    training = recipe.training
    step = training["per_device_train_batch_size"] * training["gradient_accumulation_steps"]
    assert step == 32 and training["max_length"] == 512
    assert recipe.model == "embedded:minilm"
    assert (recipe.early_stopping or {})["minutes"] <= 4


def test_both_tasks_have_the_same_recipes() -> None:
    names = ["minilm-lora", "minilm-full", "bert-base-full", "distilbert-lora"]
    for task in (ReviewSentiment, ReviewRating):
        assert [recipe.name for recipe in task.recipes] == names
