"""Frames that nobody should send, and honest ones among them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.decode.decoder import Decoder
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns, take_segments
from tests.fuzz.corpus import Corpus, gathered, load_corpus
from tests.fuzz.mutations import LIES, mutated_batch
from tests.live.raw import LONGEST_FRAME, SHORTEST_FRAME, Frames, in_order

HONEST_NETWORK = (245, 66)
"""Reserved (RFC 1112), so no capture has it: both ends of honest conversations."""
_ETHERNET = 1
_IP, _TCP, _PROTOCOL_TCP = 14, 34, 6
_SOURCE, _DESTINATION = slice(26, 30), slice(30, 34)
_OPTION_KINDS = (0, 1, 2, 3, 4, 5, 8, 14, 19, 28, 29, 30, 34, 69, 253, 254, 255)
_STEPS = 100
"""Steps in which an honest conversation could pass the whole of the hostile frames: so long it is silent at most."""
_MOST_CONVERSATIONS = 250
_BATCH_FRAMES = 8192

Places = npt.NDArray[np.float64]


class Attack(NamedTuple):
    """How many frames of each kind."""

    mutated: int
    """Mutations of real frames: bits flipped, parts of other frames, numbers that lie, cut."""
    lying: int
    """TCP with options and IP lengths that lie."""
    syns: int
    """SYNs, each from another source."""

    @property
    def frames(self) -> int:
        """All of them."""
        return sum(self)


class Prepared(NamedTuple):
    """What is sent, in this order."""

    frames: Frames
    honest: SegmentColumns
    """The honest conversations as they are decoded alone; of their times nothing is known."""


def prepare(attack: Attack, seed: int = 1) -> Prepared:
    """Return the frames of an attack, mixed, with honest conversations among them from beginning to end."""
    rng = np.random.default_rng(seed)
    corpus = load_corpus()
    hostile = [
        _mutated(corpus, rng, attack.mutated),
        _lying(rng, attack.lying),
        _syns(rng, attack.syns),
    ]
    places = [np.sort(rng.random(len(part.length))) for part in hostile]
    honest, honest_places = _honest(corpus, rng)
    frames, part_of = in_order([*hostile, honest], [*places, honest_places])
    mine = np.flatnonzero(part_of == len(hostile))
    starts = np.cumsum(frames.length) - frames.length
    sent = FrameColumns(
        buffer=frames.data,
        offset=starts[mine],
        caplen=frames.length[mine].astype(np.uint32),
        wirelen=frames.length[mine].astype(np.uint32),
        ts=np.zeros(len(mine), np.int64),
        frame=1 + mine,
        linktype=np.full(len(mine), _ETHERNET, np.uint16),
    )
    segments = take_segments(Decoder().decode(sent), slice(None))
    assert len(segments.ts) == len(mine), "the honest frames have one segment each"
    return Prepared(frames, segments)


def is_honest(segments: SegmentColumns) -> npt.NDArray[np.bool_]:
    """Return (N,) which segments are of honest conversations."""
    wanted = np.array([0xFF, 0xFF, *HONEST_NETWORK], np.uint8)
    found = np.ones(len(segments.ts), np.bool_)
    for address in (segments.src, segments.dst):
        found &= (np.ascontiguousarray(address).view(np.uint8).reshape(-1, 16)[:, 10:14] == wanted).all(axis=1)
    return found


def _mutated(corpus: Corpus, rng: np.random.Generator, count: int) -> Frames:
    made = []
    for _ in range(-(-count // _BATCH_FRAMES)):
        batch = mutated_batch(corpus, rng, _BATCH_FRAMES, 1)
        length = np.minimum(batch.caplen.astype(np.int64), LONGEST_FRAME)
        kept = length >= SHORTEST_FRAME
        made.append(Frames(gathered(batch.buffer, batch.offset[kept], length[kept]), length[kept]))
    length = np.concatenate([one.length for one in made])[:count]
    return Frames(np.concatenate([one.data for one in made])[: int(length.sum())], length)


def _template(rng: np.random.Generator, count: int, size: int) -> npt.NDArray[np.uint8]:
    """Return (count, size) SYNs over IPv4 to one server, from any port."""
    frames = np.zeros((count, size), np.uint8)
    frames[:, :6] = 2, 0, 0, 0, 0, 0x99
    frames[:, 6:12] = 2, 0, 0, 0, 0, 0x98
    frames[:, 12:14] = 8, 0
    frames[:, _IP : _IP + 10] = 0x45, 0, 0, size - _IP, 0, 0, 0x40, 0, 64, 6
    frames[:, _DESTINATION] = 198, 18, 0, 1
    frames[:, _TCP : _TCP + 2] = rng.integers(4, 256, (count, 2))
    frames[:, _TCP + 2 : _TCP + 4] = 1, 187
    frames[:, _TCP + 4 : _TCP + 8] = rng.integers(0, 256, (count, 4))
    frames[:, _TCP + 12 : _TCP + 16] = (size - _TCP) // 4 << 4, 2, 32, 0
    return frames


def _syns(rng: np.random.Generator, count: int) -> Frames:
    frames = _template(rng, count, _TCP + 20)
    source = (100 << 24 | 64 << 16) + np.arange(count)
    frames[:, _SOURCE] = source[:, None] >> np.array([24, 16, 8, 0]) & 0xFF
    return Frames(frames.reshape(-1), np.full(count, frames.shape[1], np.int64))


def _lying(rng: np.random.Generator, count: int) -> Frames:
    """Return segments of few conversations with options of any kind and length, lying header and packet lengths."""
    frames = _template(rng, count, _TCP + 60)
    frames[:, _SOURCE] = 198, 18, 1, 0
    frames[:, _SOURCE.stop - 1] = rng.integers(0, 64, count)
    frames[:, _TCP : _TCP + 2] = 156, 64
    frames[:, _TCP + 13] = rng.integers(0, 256, count)
    options = frames[:, _TCP + 20 :]
    options[:, ::2] = rng.choice(_OPTION_KINDS, options[:, ::2].shape)
    options[:, 1::2] = rng.choice(np.array(LIES, np.uint16) & 0xFF, options[:, 1::2].shape)
    header = rng.random(count) < 0.5
    frames[header, _TCP + 12] = rng.integers(0, 256, int(header.sum()))
    packet = rng.random(count) < 0.3
    lengths = rng.choice(LIES, int(packet.sum()))
    frames[packet, _IP + 2], frames[packet, _IP + 3] = lengths >> 8, lengths & 0xFF
    frames[rng.random(count) < 0.1, _IP] = 0x40 + rng.integers(0, 16)
    length = np.where(rng.random(count) < 0.3, rng.integers(SHORTEST_FRAME, frames.shape[1], count), frames.shape[1])
    kept = np.arange(frames.shape[1]) < length[:, None]
    return Frames(frames[kept], length)


def _honest(corpus: Corpus, rng: np.random.Generator) -> tuple[Frames, Places]:
    """Return plain TCP over IPv4 of the corpus, between addresses of its own, and when in the attack each is sent.

    The frames of a conversation keep their order, and none of them is silent for long.
    """
    conversations: dict[bytes, list[int]] = {}
    for place in range(len(corpus.offset)):
        if _is_plain(corpus, place):
            conversations.setdefault(_ends(corpus, place), []).append(place)
    parts, places = [], []
    for number, every in enumerate(list(conversations.values())[:_MOST_CONVERSATIONS]):
        chosen = every[: _STEPS // 2]
        length = corpus.caplen[chosen]
        data = gathered(corpus.data, corpus.offset[chosen], length)
        _move(data, np.cumsum(length) - length, number)
        parts.append(Frames(data, length))
        steps = np.cumsum(rng.uniform(0.2, 1.8, len(chosen))) / _STEPS
        places.append(steps + rng.random() * (1 - steps[-1]))
    frames = Frames(np.concatenate([one.data for one in parts]), np.concatenate([one.length for one in parts]))
    return frames, np.concatenate(places)


def _ends(corpus: Corpus, place: int) -> bytes:
    """Return addresses and ports of both ends, the same in both directions."""
    frame = corpus.data[int(corpus.offset[place]) :]
    pairs = ((_SOURCE, slice(_TCP, _TCP + 2)), (_DESTINATION, slice(_TCP + 2, _TCP + 4)))
    return b"".join(sorted(frame[address].tobytes() + frame[port].tobytes() for address, port in pairs))


def _is_plain(corpus: Corpus, place: int) -> bool:
    """Return whether a frame is whole, and holds a TCP segment that is no fragment in IPv4 without options."""
    start, size = int(corpus.offset[place]), int(corpus.caplen[place])
    frame = corpus.data[start : start + size]
    return (
        corpus.linktype[place] == _ETHERNET
        and size == corpus.wirelen[place]
        and _TCP + 20 <= size <= LONGEST_FRAME
        and frame[12:15].tobytes() == b"\x08\x00\x45"
        and frame[23] == _PROTOCOL_TCP
        and not frame[20] & 0x3F
        and not frame[21]
    )


def _move(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], conversation: int) -> None:
    """Give a conversation addresses of its own; the checksums become wrong, so that no host answers."""
    first = data[starts[0] + _SOURCE.start : starts[0] + _SOURCE.stop].copy()
    for part in (_SOURCE, _DESTINATION):
        places = starts[:, None] + np.arange(part.start, part.stop)
        is_first = (data[places] == first).all(axis=1)
        data[places] = np.array([*HONEST_NETWORK, conversation, 0], np.uint8)
        data[places[:, 3]] = np.where(is_first, 1, 2)
