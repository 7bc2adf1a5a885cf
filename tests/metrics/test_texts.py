"""Words and sentences of texts in many scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from toolkit.metrics import texts

ascii_texts = st.text(st.characters(max_codepoint=127), max_size=60)
any_texts = st.text(max_size=60)

ARTICLES = {
    "English": ['Mr. Smith paid $3.5 million.', '"Why?" he asked J. R. Jones.', "(Nobody knew.)"],
    "French": ["M. Dupont est là.", "« Il part ! » dit-elle.", "École fermée.", "À demain !"],
    "German": ["Er kam am 3. Oktober 1990.", "„Gut.“", "Übrigens fehlte Dr. Groß."],
    "Spanish": ["¿Qué pasó?", "¡Nada!", "La Sra. Núñez llegó."],
    "Russian": ["Он жил в г. Москва.", "А. С. Пушкин родился там.", "«Да».", "Это всё!"],
    "Greek": ["Η Αθήνα είναι μεγάλη.", "Όλα καλά."],
    "Armenian": ["Երևանը մայրաքաղաք է։", "Այն մեծ է։"],
    "Hindi": ["दिल्ली भारत की राजधानी है।", "क्या यह बड़ी है?", "डॉ. राम आए।"],
    "Bengali": ["ঢাকা বাংলাদেশের রাজধানী।", "এটি বড়।"],
    "Urdu": ["لاہور بڑا شہر ہے۔", "کیا یہ سچ ہے؟", "ہاں۔"],
    "Arabic": ["القاهرة عاصمة مصر.", "هل هي كبيرة؟", "نعم!"],
    "Hebrew": ["ירושלים היא עיר.", "האם היא גדולה?"],
    "Amharic": ["አዲስ አበባ ከተማ ናት።", "ትልቅ ናት።"],
    "Burmese": ["ရန်ကုန်သည်မြို့ဖြစ်သည်။", "ကြီးသည်။"],
    "small letters": ["the hall burnt down.", "nobody was hurt!", "was it st. john?"],
}  # fmt: skip
UNSPACED = {
    "Chinese": ["北京是中国的首都。", "上海很大！", "“真的吗？”", "他问。"],
    "Japanese": ["東京は日本の首都です。", "「大きい？」", "はい。"],
}


@pytest.mark.parametrize("language", ARTICLES)
def test_sentences_end_where_the_language_ends_them(language: str) -> None:
    assert texts.sentences(" ".join(ARTICLES[language])) == ARTICLES[language]


@pytest.mark.parametrize("language", UNSPACED)
def test_sentences_need_no_blank_between_them(language: str) -> None:
    assert texts.sentences("".join(UNSPACED[language])) == UNSPACED[language]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_form_of_unicode_makes_no_difference_to_sentences(form: str) -> None:
    found = texts.sentences(unicodedata.normalize(form, " ".join(ARTICLES["French"])))  # type: ignore[arg-type]
    assert [unicodedata.normalize("NFC", one) for one in found] == ARTICLES["French"]


@pytest.mark.parametrize(
    "whole",
    [
        "It costs 3.5 million, e.g. London's.",
        "See www.example.com/a?b=c for more.",
        "Convention No. 81 applies.",
        "1. First item",
        "It was Yahoo! and nobody else.",
        "John F. Kennedy met Prof. Brown.",
        "Prix : 3.50 €.",
    ],
)
def test_what_only_looks_like_an_end_is_none(whole: str) -> None:
    assert texts.sentences(whole) == [whole]


@pytest.mark.parametrize(
    "parts",
    [
        ["A bulb of 60 W.", "Energy class A.", "Sold in pairs."],
        ['"Stop."', "He did."],
        ["No sign of it...", "Then it came."],
        ["Stated before.[12]", "Denied later."],
        ["В 1990 г.", "Он уехал."],
        ["first line", "second line"],
    ],
)
def test_what_ends_a_sentence_does(parts: list[str]) -> None:
    between = "\n" if parts[0] == "first line" else " "
    assert texts.sentences(between.join(parts)) == parts


def test_a_sentence_of_casual_text_may_begin_with_a_small_letter() -> None:
    text = "I love it. works great! (or does it?) yes"
    assert texts.sentences(text) == [text]
    assert texts.sentences(text, casual=True) == ["I love it.", "works great!", "(or does it?) yes"]


@given(any_texts)
def test_sentences_hold_all_of_a_text_but_blanks_in_order(text: str) -> None:
    spans = texts.sentence_spans(text)
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat) and all(start < end for start, end in spans)
    kept = {at for start, end in spans for at in range(start, end)}
    assert not "".join(char for at, char in enumerate(text) if at not in kept).strip()


@given(ascii_texts)
def test_words_of_ascii_texts_are_those_of_rouge_score(text: str) -> None:
    from rouge_score.tokenize import tokenize

    assert [word.lower() for word in texts.words(text)] == tokenize(text, None)


@given(ascii_texts)
def test_terms_of_ascii_texts_are_those_of_scikit_learn(text: str) -> None:
    assert texts.terms(text) == TfidfVectorizer().build_tokenizer()(text)
    every = TfidfVectorizer(token_pattern=r"\b\w+\b").build_tokenizer()
    assert texts.terms(text, shortest=1) == every(text)


@pytest.mark.parametrize("text", ["Ärger über Öl", "naïve café déjà_vu 25 m²", "Москва столица"])
def test_terms_of_letters_with_blanks_between_words_are_those_of_scikit_learn(text: str) -> None:
    assert texts.terms(text) == TfidfVectorizer().build_tokenizer()(text)
    every = TfidfVectorizer(token_pattern=r"\b\w+\b").build_tokenizer()
    assert texts.terms(text, shortest=1) == every(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("北京1990年", ["北", "京", "1990", "年"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("किताब की", ["किताब", "की"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("مُحَمَّد", ["مُحَمَّد"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("cafe\u0301 don't", ["café", "don", "t"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("so 😍😡 👨‍👩‍👧", ["so", "😍", "😡", "👨‍👩‍👧"]),
        ("ＡＢＣ １２", ["ABC", "12"]),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert texts.words(text) == words
    assert [w for w in texts.terms(text) if len(w) > 1 or w in words] == [
        w for w in words if w != "t"
    ]


@given(any_texts)
def test_places_of_words_are_the_words(text: str) -> None:
    text = texts.normalized(text)
    assert [text[start:end] for start, end in texts.word_spans(text)] == texts.words(text)


@given(any_texts)
def test_the_form_of_unicode_makes_no_difference(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert texts.normalized(decomposed) == texts.normalized(unicodedata.normalize("NFC", text))
    assert texts.words(decomposed) == texts.words(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("text", "number", "beginning"),
    [
        ("one  two,\nthree four", 3, "one two, three"),
        ("один два три", 2, "один два"),
        ("北京是中国。上海", 6, "北京是中国。上"),
        ("北京 is big", 3, "北京 is"),
        ("кот", 5, "кот"),
        ("кот", 0, ""),
    ],
)
def test_the_first_words(text: str, number: int, beginning: str) -> None:
    assert texts.leading(text, number) == beginning


def test_only_scripts_without_blanks_are_spaced() -> None:
    assert texts.spaced("Ärger über “Öl”") == "Ärger über “Öl”"
    assert texts.spaced("北京。Tower, B").split() == ["北", "京。", "Tower,", "B"]
