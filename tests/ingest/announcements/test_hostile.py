"""Whatever the payload says: nothing raises, and where batches end makes no difference."""

from hypothesis import given, settings
from hypothesis import strategies as st

from segwatch.vocabulary import Quality
from tests.ingest.announcements.conversation import Capture, Conversation

_WORDS = st.sampled_from(
    [b"\5", b"\4", b"\0", b"\1", b"\x5a", b"\5\1\0", b"\5\0", b"RFB 003.008\n", b"PORT ", b"227 ", b",1"]
)
_PAYLOADS = st.one_of(st.binary(max_size=40), st.lists(_WORDS, max_size=8).map(b"".join))
_SEGMENTS = st.lists(
    st.tuples(st.booleans(), _PAYLOADS, st.integers(0, 0xFFF), st.integers(0, 60), st.integers(0, 40)),
    min_size=1,
    max_size=20,
)
_MARKS = Quality.ANNOUNCED | Quality.PROXIED | Quality.RESTARTED


@settings(deadline=None)
@given(st.sampled_from([1080, 21, 7777]), st.booleans(), _SEGMENTS, st.integers(1, 8))
def test_any_payload(port: int, handshake: bool, segments: list[tuple[bool, bytes, int, int, int]], batch: int) -> None:
    capture = Capture()
    conversation = Conversation(capture, 40_000, port, handshake=handshake)
    for by_client, payload, flags, captured, back in segments:
        say = conversation.client if by_client else conversation.server
        say(payload, flags, captured=min(captured, len(payload)), back=back)
    assert capture.marked(_MARKS, batch) == capture.marked(_MARKS)
