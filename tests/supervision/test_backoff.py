"""Pauses between starts."""

from segwatch.supervision.backoff import LONGEST_SECONDS, MOST_FAILURES, Backoff


def failed(times: int) -> tuple[Backoff, list[float]]:
    """Return the pauses before the next start of a child that fails at once, so many times."""
    backoff, now, pauses = Backoff(), 0.0, []
    for _ in range(times):
        backoff.started(now)
        due = backoff.ended(now + 1)
        pauses.append(due - (now + 1))
        now = due
    return backoff, pauses


def test_pauses_double_up_to_a_limit() -> None:
    _, pauses = failed(9)
    assert pauses == [0.5, 1, 2, 4, 8, 16, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]


def test_a_child_that_lived_begins_anew() -> None:
    backoff, _ = failed(6)
    backoff.started(1000)
    assert backoff.ended(1060) == 1060.5
    assert backoff.failures == 1


def test_starts_that_come_to_nothing_are_given_up() -> None:
    assert not failed(MOST_FAILURES - 1)[0].is_hopeless
    assert failed(MOST_FAILURES)[0].is_hopeless
