"""What routing.toml names: a figure of the whole set, and the rule that the desk uses today."""

from collections import Counter

from toolkit.metrics import whole_set_metric

WORDS = {
    "network": ("vpn", "wi-fi", "server", "video"),
    "accounts": ("password", "account", "access", "signing"),
    "hardware": ("printer", "laptop", "screen", "dock"),
    "software": ("excel", "update", "install"),
    "payroll": ("overtime", "tax", "travel"),
    "security": ("mail", "stick", "abroad"),
}


def queues_reached(predictions, references):
    """The share of the queues that get at least half of their tickets."""
    right = Counter(p for p, r in zip(predictions, references, strict=True) if p == r)
    return sum(right[q] >= n / 2 for q, n in Counter(references).items()) / len(set(references))


reached = whole_set_metric("reached", queues_reached, label="Queues that get half", format=".0%")


def keywords(train):
    """The first queue of which a word stands in the ticket; the most frequent one otherwise."""
    usual = Counter(train["queue"]).most_common(1)[0][0]

    def queue(ticket):
        found = (q for q, words in WORDS.items() if any(w in ticket.lower() for w in words))
        return next(found, usual)

    return lambda rows: [queue(ticket) for ticket in rows["ticket"]]
