"""Texts of others, made safe for a terminal."""


def printable(text: str) -> str:
    """Return the text with a mark for each control character: it may neither steer a terminal nor end a line."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
