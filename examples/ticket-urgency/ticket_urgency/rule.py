"""The rule of thumb that people used before: a few words that mean trouble."""

ALARMING = ("down", "cannot", "lost", "refuses", "error")
ANNOYING = ("slow", "restart", "beeps", "old")


def urgency(text):
    words = text.casefold().replace(".", " ").split()
    if any(word in words for word in ALARMING):
        return 3
    return 2 if any(word in words for word in ANNOYING) else 1
