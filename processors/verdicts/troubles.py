"""Records that only senders in trouble have, and their lists of verdicts that later segments may amend."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import MODULUS_MASK, after, signed
from processors.verdicts import counter
from processors.verdicts.state import OPEN, State
from segwatch.compilation import inner_kernel, rare_kernel


@inner_kernel
def has_room(state: State) -> bool:
    """Whether two more senders may get into trouble, and one more verdict can be noted."""
    return bool(
        state.counters[counter.TROUBLES_USED] + 2 <= len(state.troubles)
        and (state.counters[counter.NOTES_FREE] != NOTHING or state.counters[counter.NOTES_USED] < len(state.notes))
    )


@rare_kernel
def _get_into_trouble(state: State, sender: Any) -> None:
    """Give a sender a record that says nothing yet."""
    place = signed(state.counters[counter.TROUBLES_FREE])
    if place != NOTHING:
        state.counters[counter.TROUBLES_FREE] = state.troubles[place].next
    else:
        place = signed(state.counters[counter.TROUBLES_USED])
        state.counters[counter.TROUBLES_USED] = place + 1
    trouble = state.troubles[place]
    trouble.next = NOTHING
    trouble.first_note = NOTHING
    trouble.last_note = NOTHING
    trouble.first_kept = NOTHING
    trouble.notes = 0
    trouble.undecided = 0
    trouble.flight = 0
    trouble.ranges = 0
    trouble.phase = OPEN
    trouble.probes = 0
    trouble.rto_min = 0
    trouble.unseen = 0
    trouble.surely_unseen = 0
    trouble.omitted = 0
    trouble.reports = 0
    trouble.open_notes = 0
    trouble.high_seq = 0
    trouble.ended_tsval = 0
    trouble.reported_tsval = 0
    trouble.repeated_to = 0
    trouble.claimed = 0
    trouble.claimed_unseen = 0
    trouble.ignored = 0
    trouble.probe_open = 0
    trouble.gap_known = 0
    trouble.told = 0
    trouble.episode = 0
    trouble.stalled_until = 0
    trouble.idle_since = 0
    trouble.closed_at = 0
    trouble.reopened = 0
    trouble.ended = 0
    trouble.repeated_at = 0
    trouble.reported_since = 0
    trouble.reported_at = 0
    trouble.last_phase = OPEN
    sender.trouble = place + 1
    state.counters[counter.USES] += 1


@inner_kernel
def trouble_of(state: State, sender: Any) -> Any:
    """Return a sender's record, a new one if it has none."""
    if not sender.trouble:
        _get_into_trouble(state, sender)
    return state.troubles[sender.trouble - 1]


@rare_kernel
def clear(state: State, sender: Any) -> None:
    """Give back the record of a sender that has one, and its notes."""
    place = signed(sender.trouble) - 1
    trouble = state.troubles[place]
    while trouble.first_note != NOTHING:
        drop_first(state, trouble)
    free_kept(state, trouble)
    trouble.next = state.counters[counter.TROUBLES_FREE]
    state.counters[counter.TROUBLES_FREE] = place
    sender.trouble = 0


@rare_kernel
def _free(state: State, note: int) -> None:
    state.notes[note].next = state.counters[counter.NOTES_FREE]
    state.counters[counter.NOTES_FREE] = note


@rare_kernel
def drop_first(state: State, trouble: Any) -> None:
    """Forget the oldest note; keep it apart if it is undecided."""
    note = signed(trouble.first_note)
    trouble.first_note = state.notes[note].next
    if trouble.first_note == NOTHING:
        trouble.last_note = NOTHING
    trouble.notes -= 1
    if not state.notes[note].acked:
        trouble.open_notes -= 1
    if state.notes[note].undecided:
        state.notes[note].next = trouble.first_kept
        trouble.first_kept = note
    else:
        _free(state, note)


@rare_kernel
def free_kept(state: State, trouble: Any) -> None:
    """Forget the undecided notes that were kept apart."""
    place = signed(trouble.first_kept)
    while place != NOTHING:
        following = signed(state.notes[place].next)
        _free(state, place)
        place = following
    trouble.first_kept = NOTHING


@rare_kernel
def new_note(state: State, trouble: Any) -> int:
    """Append a note; return its place. There are fewer than ``MOST_NOTES``."""
    note = signed(state.counters[counter.NOTES_FREE])
    if note != NOTHING:
        state.counters[counter.NOTES_FREE] = state.notes[note].next
    else:
        note = signed(state.counters[counter.NOTES_USED])
        state.counters[counter.NOTES_USED] = note + 1
    state.notes[note].next = NOTHING
    if trouble.last_note == NOTHING:
        trouble.first_note = note
    else:
        state.notes[trouble.last_note].next = note
    trouble.last_note = note
    trouble.notes += 1
    trouble.open_notes += 1
    state.notes[note].acked = 0
    state.notes[note].undecided = 0
    state.notes[note].doubted = 0
    state.counters[counter.USES] += 1
    return note


@rare_kernel
def overlaps(note: Any, start: int, end: int) -> bool:
    """Whether a note's segment has any byte of those from ``start`` to ``end``."""
    return after(end, signed(note.start)) and after(signed(note.end), start)


@rare_kernel
def latest_copy(state: State, trouble: Any, start: int, end: int) -> int:
    """Return the newest note that has a byte of those from ``start`` to ``end``, or ``NOTHING``."""
    found = NOTHING
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if overlaps(note, start, end):
            found = place
        place = signed(note.next)
    return found


@rare_kernel
def latest_with(state: State, trouble: Any, seq: int) -> int:
    """Return the newest note that has the byte ``seq``, or ``NOTHING``."""
    return int(latest_copy(state, trouble, seq, (seq + 1) & MODULUS_MASK))


@rare_kernel
def repeat_passed(state: State, trouble: Any, seq: int) -> bool:
    """Whether the newest note that has the byte ``seq`` is one of a repeat."""
    place = latest_with(state, trouble, seq)
    return place != NOTHING and bool(state.notes[place].is_repeat)


@rare_kernel
def last_repeat(state: State, side: Any) -> int:
    """Return the newest note of a side if it is one of a repeat, else ``NOTHING``."""
    if not side.trouble:
        return NOTHING
    place = signed(state.troubles[side.trouble - 1].last_note)
    return place if place != NOTHING and state.notes[place].is_repeat else NOTHING


@rare_kernel
def asked_first(state: State, repeat: int) -> int:
    """Return when the copy before a repeat (its note) passed, nanoseconds."""
    return signed(state.notes[repeat].time) - signed(state.rows[repeat].since_original)
