"""Counts as people read them."""


def count_text(count: int, singular: str, plural: str = "") -> str:
    """Return a number of things: "1 segment", "1,200 segments"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def bytes_text(count: int) -> str:
    """Return a number of bytes, exactly."""
    return count_text(count, "byte")
