"""``segwatch paths``: several captures of the same connections."""
