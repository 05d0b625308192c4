"""Verdicts: why a segment came that is not new data in its order, whether it was needed, where its original was lost.

A verdict may be amended when later segments contradict it: the row is written again with the same key (``stream``,
``frame``, ``from_client``, ``seq``) and the next ``revision``; the highest one holds.
"""

import numpy as np

_FIELDS = np.dtype(
    [
        ("time", np.int64),
        ("frame", np.int64),
        ("client", np.uint64, (2,)),
        ("server", np.uint64, (2,)),
        ("client_port", np.uint16),
        ("server_port", np.uint16),
        ("ip_version", np.uint8),
        ("from_client", np.uint8),
        ("cause", np.uint8),
        ("needed", np.uint8),
        ("place", np.uint8),
        ("stage", np.uint8),
        ("revision", np.uint16),
        ("stream", np.int32),
        ("seq", np.uint32),
        ("length", np.uint32),
        ("episode", np.uint32),
        ("confidence", np.float32),
        ("bytes_again", np.uint32),
        ("tsval", np.uint32),
        ("stalled", np.int64),
        ("proof", np.uint32),
        ("duplicate_acks", np.uint32),
        ("sacked_above", np.uint32),
        ("ip_id_step", np.int32),
        ("tsval_step", np.int32),
        ("ttl_step", np.int16),
        ("ip_id", np.uint16),
        ("sequence_step", np.int32),
        ("ttl", np.uint8),
        ("original_frame", np.int64),
        ("since_original", np.int64),
        ("silence", np.int64),
        ("round_trip", np.int64),
        ("timeout", np.int64),
        ("amended_by", np.int64),
    ],
    align=True,
)

VERDICT = np.dtype((np.record, _FIELDS))
"""One verdict. Times are nanoseconds; what is not known is 0, unless said otherwise.

``time``: capture time since the epoch. ``frame``: the frame that is judged; of a ``capture_loss`` the one that shows it
first: behind what was not captured, or acknowledging it. ``client``, ``server``, ``*_port``, ``ip_version``,
``stream``: the conversation, as in the findings. ``from_client``: 1 if the client sent the data (of a ``capture_loss``
too), 0 if the server did. ``seq``: raw sequence number. ``length``: payload bytes, SYN and FIN not counted (of a
``capture_loss``: bytes missed). ``ip_id``, ``tsval``: the packet's own, by which the rows of other sensors about it are
found. ``ttl``: as it was here. All three are 0 of a ``capture_loss``.

``cause``, ``needed``, ``place``: numbers of ``vocabulary.Cause``, ``Needed``, ``Place``; ``stage``: of ``Stage``.
``confidence``: 0 to 1, how often verdicts that rest on the same kind of proof are right. ``episode``: loss episodes of
one direction, counted from 1; 0 for what belongs to none. ``revision``: 0 for the first verdict.

What it cost: ``bytes_again``: payload that had been sent before. ``stalled``: time that delivery stood still until
this segment came, counted from the original where it was seen, else from what came behind it, and no span twice.

What it rests on: ``proof``: bits of ``vocabulary.Proof``. ``original_frame``, ``since_original``: the earlier copy, and
the time since (without a copy, the time since what came behind it). ``duplicate_acks``: since the last advance
(RFC 5681). ``sacked_above``: bytes selectively acknowledged above it (RFC 2018). ``silence``: since the sender sent, or
may have heard, anything (below 0 where its own clock puts that after this segment). ``round_trip``: the sender's
smoothed round trip; ``timeout``: its retransmission timeout
(RFC 6298, with Linux's least of 200 ms). ``ip_id_step``, ``tsval_step``: how much further than the earlier copy's (or
than that of what came behind it). Of a reset, ``ttl_step`` and ``ip_id_step``: how much more than what its sender sent
last; ``sequence_step``: how far its number is above the next one of its sender. ``amended_by``: the frame that
contradicted the revision before.
"""
