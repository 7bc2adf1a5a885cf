from toolkit_review_augmentation import perturb
from toolkit_review_augmentation.generator import generate

TEXTS = [review.text for review in generate(300, "train")]


def edits(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a.split(" "), b.split(" "), strict=True))


def test_typos_change_the_wanted_share_of_words_and_no_other() -> None:
    changed = sum(edits(text, perturb.apply("typos", text)) for text in TEXTS)
    able = sum(sum(c.isalpha() for c in w) >= 4 for text in TEXTS for w in text.split(" "))
    assert 0.05 < changed / able < 0.10  # some typos give the same word again
    assert all(w == v or abs(len(w) - len(v)) <= 1
               for t in TEXTS for w, v in zip(t.split(), perturb.apply("typos", t).split(),
                                              strict=True))  # fmt: skip


def test_case_changes_nothing_but_case() -> None:
    for text in TEXTS[:50]:
        changed = perturb.apply("case", text)
        assert changed.casefold() == text.casefold() and changed != text


def test_punctuation_removes_the_marks_and_keeps_the_words() -> None:
    assert perturb.apply("punctuation", "Well-made, isn't it? Yes!") == "Well-made isn't it Yes"
    for text in TEXTS[:50]:
        assert not set(perturb.apply("punctuation", text)) & set(".,;:!?")


def test_a_text_is_always_changed_alike() -> None:
    for name in perturb.PERTURBATIONS:
        assert perturb.apply(name, TEXTS[0]) == perturb.apply(name, TEXTS[0])
