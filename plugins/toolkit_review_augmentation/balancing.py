"""Class balancing and near-duplicate removal over reviews."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final

from toolkit import UsageError
from toolkit_review_augmentation import perturb, texts
from toolkit_review_augmentation.instructions import SENTIMENTS

if TYPE_CHECKING:
    import numpy as np

Review = dict[str, Any]

CANDIDATE: Final = 0.9
"""Cosine of quick vectors from which on two reviews are compared by their embeddings."""
SAME: Final = 0.95
"""Cosine of sentence embeddings from which on a review counts as a copy of another."""
QUICK_SAME: Final = 0.99
"""The same for quick vectors, if there are too many candidates to embed, or no encoder."""
MOST_CANDIDATES: Final = 600
"""At most this many candidates are embedded, with their originals: ten seconds on two cores."""
BLOCK: Final = 1_000
"""Reviews compared with all earlier ones at one time (memory of the matrix product)."""
COPIES: Final = 3
"""At most this many perturbed copies of one review fill up a class."""


def parse_shares(text: str) -> dict[str, float]:
    """Parse ``40/30/30`` (positive, negative, neutral) into shares that add up to 1.

    Raises:
        UsageError: these are not three numbers, one is negative, or all are 0.
    """
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        parts = []
    if len(parts) != 3 or min(parts) < 0 or sum(parts) <= 0:
        raise UsageError(
            f"--balance {text!r}: write three shares for positive, negative and neutral, such as "
            "40/30/30"
        )
    return dict(zip(("positive", "negative", "neutral"), (p / sum(parts) for p in parts),
                    strict=True))  # fmt: skip


def balance(
    reviews: Sequence[Review], shares: Mapping[str, float], *, fill: bool = False, seed: int = 0
) -> list[Review]:
    """Draw reviews whose sentiments have the given shares.

    The result is the largest set that the rarest class allows, with no review twice. With ``fill``,
    rare classes are first filled up with perturbed copies (:data:`COPIES` per review at most),
    which keep their review's ``group``.

    Raises:
        UsageError: a class with a share above 0 has no reviews.
    """
    random = Random(seed)
    by_class: dict[str, list[Review]] = defaultdict(list)
    for review in reviews:
        by_class[review["sentiment"]].append(review)
    wanted = {name: share for name, share in shares.items() if share > 0}
    missing = [name for name in wanted if not by_class[name]]
    if missing:
        raise UsageError(
            f"there are no {' and no '.join(missing)} reviews, so the shares cannot be reached; "
            "give such a class the share 0"
        )
    room = {n: len(by_class[n]) * (1 + COPIES if fill else 1) / wanted[n] for n in wanted}
    total = min(min(room.values()), len(reviews))
    kept: list[Review] = []
    for name in SENTIMENTS:
        number = round(total * wanted.get(name, 0.0))
        kept += _draw(by_class[name], number, random)
    random.shuffle(kept)
    return kept


def _draw(reviews: list[Review], number: int, random: Random) -> list[Review]:
    """Draw ``number`` of the reviews; if there are fewer, all of them and perturbed copies."""
    if number <= len(reviews):
        return random.sample(reviews, number)
    kept, names = list(reviews), list(perturb.PERTURBATIONS)
    while len(kept) < number:
        review = reviews[(len(kept) - len(reviews)) % len(reviews)]
        name = names[(len(kept) // len(reviews) - 1) % len(names)]
        kept.append(perturbed(review, name))
    return kept


def perturbed(review: Mapping[str, Any], name: str) -> Review:
    """A review with its text changed by a perturbation; its group stays."""
    return {**review, "text": perturb.apply(name, review["text"]), "suite": f"augmented: {name}"}


def shares_of(reviews: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share of each sentiment."""
    counts = Counter(review["sentiment"] for review in reviews)
    return {name: counts[name] / max(1, len(reviews)) for name in SENTIMENTS}


# -- near duplicates -------------------------------------------------------------------------------
def near_duplicates(reviews: Sequence[Mapping[str, Any]], same: float = SAME) -> dict[int, int]:
    """Find reviews that repeat an earlier one: index → index of that earlier review.

    Quick vectors find the most similar earlier review of each; the cosine of the two sentence
    embeddings decides. Only the most similar :data:`MOST_CANDIDATES` pairs are embedded; in other
    pairs a review counts as a copy only if the quick vectors are nearly equal.

    Args:
        reviews: rows with ``text`` and ``sentiment``.
        same: cosine from which on a review is a copy.
    """
    import numpy as np

    if len(reviews) < 2:
        return {}
    quick = texts.quick_vectors([review["text"] for review in reviews])
    cosines, originals = _nearest_earlier(quick)
    candidates = np.flatnonzero(cosines >= min(CANDIDATE, same))
    candidates = candidates[np.argsort(-cosines[candidates], kind="stable")]
    embedded: set[int] = set()
    if texts.has_encoder():
        few = candidates[:MOST_CANDIDATES]
        embedded = set(few.tolist())
        vectors = dict(
            zip(
                places := sorted({*embedded, *originals[few].tolist()}),
                texts.embed_fast([reviews[place]["text"] for place in places]) if places else (),
                strict=True,
            )
        )
    found: dict[int, int] = {}
    for later in sorted(candidates.tolist()):
        earlier = int(originals[later])
        if reviews[later]["sentiment"] != reviews[earlier]["sentiment"]:
            continue  # similar words with an opposite meaning
        if later in embedded:
            alike = float(vectors[later] @ vectors[earlier]) >= same
        else:
            alike = float(cosines[later]) >= max(QUICK_SAME, same)
        if alike:
            found[later] = found.get(earlier, earlier)
    return found


def _nearest_earlier(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each vector, the largest cosine with an earlier vector, and that one's index."""
    import numpy as np

    cosines = np.full(len(vectors), -1.0, dtype=np.float32)
    places = np.zeros(len(vectors), dtype=np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        product = block @ vectors[: start + len(block)].T
        rows = np.arange(len(block))
        # only earlier vectors count
        product[:, start:][np.triu_indices(len(block))] = -1.0
        places[start : start + len(block)] = product.argmax(axis=1)
        cosines[start : start + len(block)] = product[rows, product.argmax(axis=1)]
    return cosines, places
