"""The two kinds of traffic of the benchmarks."""

from collections.abc import Iterator

import numpy as np

from tests.generate import episodes as play
from tests.generate.compose import PACE, Positions, Repertoire, empty_packets, endpoints, split_by_time
from tests.generate.packets import Conversations, Packets

START = 1_767_258_000 * 1_000_000
"""Time of the first packet, microseconds since the epoch: 2026-01-01 09:00 UTC."""
VARIANTS = 16
PACKETS_AT_ONCE = 600_000
EPISODE_PACKETS = 60
"""Packets of a usual episode."""

BULK_MIX = (
    (play.healthy, 0.876),
    (play.lost_after_capture, 0.040),
    (play.lost_before_capture, 0.020),
    (play.reordered, 0.028),
    (play.timed_out, 0.012),
    (play.spurious, 0.014),
    (play.zero_window, 0.007),
    (play.keep_alive, 0.003),
)
"""Episodes of a long transfer and how often each occurs."""

FLOWS_MIX = (
    ((play.opening, play.request, play.orderly_close), 0.905),
    ((play.opening, play.request, play.reset_close), 0.020),
    ((play.opening, play.request, play.server_fin_then_reset), 0.005),
    ((play.unanswered,), 0.020),
    ((play.refused,), 0.015),
    ((play.repeated_opening, play.request, play.orderly_close), 0.010),
    ((play.opening, play.timed_out, play.orderly_close), 0.010),
    ((play.request, play.orderly_close), 0.008),
    ((play.opening, play.reordered, play.orderly_close), 0.004),
    ((play.opening, play.zero_window, play.orderly_close), 0.003),
)
"""Short conversations as a row of episodes, and how often each occurs; the eighth kind starts before the capture."""
REUSED_SHARE = 0.004
FLOWS_PER_SECOND = 4_000
_REPERTOIRE, _TRAFFIC = 0, 1
"""Streams of random numbers: captures of all sizes are made of the same episodes."""


def bulk(seed: int, packets: int, flows: int) -> Iterator[tuple[Packets, Conversations]]:
    """Yield about ``packets`` packets of ``flows`` long conversations, in order of time, part by part."""
    rng = np.random.default_rng([seed, _REPERTOIRE])
    first = Repertoire(play.variants(play.opening, rng, VARIANTS) + play.variants(play.request, rng, VARIANTS))
    kinds = [play.variants(player, rng, VARIANTS) for player, _ in BULK_MIX]
    middle = Repertoire([episode for kind in kinds for episode in kind])
    last = Repertoire(play.variants(play.orderly_close, rng, VARIANTS) + play.variants(play.reset_close, rng, 2))
    rng = np.random.default_rng([seed, _TRAFFIC])
    conversations = endpoints(rng, flows, [443, 7001, 8443, 9443])
    positions = Positions(START + rng.integers(0, 5_000_000, flows), rng.integers(PACE // 4, PACE * 4, flows))
    everyone = np.arange(flows)
    begun = everyone[everyone % 50 != 49]
    choice = np.stack([rng.integers(0, VARIANTS, begun.size), VARIANTS + rng.integers(0, VARIANTS, begun.size)], axis=1)
    waiting = positions.play(first, begun, choice)
    budget = np.full(flows, packets // flows)
    share = np.array([share for _, share in BULK_MIX])
    at_once = max(1, min(PACKETS_AT_ONCE // flows, packets // flows // 10) // EPISODE_PACKETS)
    while (alive := np.flatnonzero(budget > 0)).size:
        # Those that are behind go on, so that what must be held back stays little.
        behind = alive[positions.time[alive] <= np.quantile(positions.time[alive], 0.5)]
        kind = rng.choice(len(BULK_MIX), (behind.size, at_once), p=share / share.sum())
        chosen = kind * VARIANTS + rng.integers(0, VARIANTS, kind.shape)
        waiting = np.concatenate([waiting, positions.play(middle, behind, chosen)])
        budget[behind] -= middle.counts[chosen].sum(axis=1)
        ended = behind[budget[behind] <= 0]
        if ended.size:
            closing = rng.integers(0, VARIANTS + 2, (ended.size, 1))
            waiting = np.concatenate([waiting, positions.play(last, ended, closing)])
        running = np.flatnonzero(budget > 0)
        horizon = int(positions.time[running].min()) if running.size else int(positions.time.max()) + 1
        ready, waiting = split_by_time(waiting, horizon)
        yield ready, conversations
    yield split_by_time(waiting, int(positions.time.max()) + 1)[0], conversations


def flows(seed: int, flows: int, at_once: int = 20_000) -> Iterator[tuple[Packets, Conversations]]:
    """Yield the packets of ``flows`` short conversations of several kinds, in order of time, part by part."""
    rng = np.random.default_rng([seed, _REPERTOIRE])
    players = [player for row, _ in FLOWS_MIX for player in row]
    numbers = {player: VARIANTS * position for position, player in enumerate(dict.fromkeys(players))}
    repertoire = Repertoire([episode for player in numbers for episode in play.variants(player, rng, VARIANTS)])
    rng = np.random.default_rng([seed, _TRAFFIC])
    conversations = endpoints(rng, flows, [443, 7001, 7443, 8443, 8500, 9443, 50051])
    kinds = rng.choice(
        len(FLOWS_MIX), flows, p=np.array([share for _, share in FLOWS_MIX]) / sum(share for _, share in FLOWS_MIX)
    )
    starts = START + np.sort(rng.integers(0, max(1, flows * 1_000_000 // FLOWS_PER_SECOND), flows))
    reused = np.flatnonzero(rng.random(flows) < REUSED_SHARE)
    reused = reused[reused >= FLOWS_PER_SECOND]
    for name in ("address", "port", "ipv6"):
        conversations[name][reused] = conversations[name][reused - FLOWS_PER_SECOND]
    waiting = empty_packets()
    for first in range(0, flows, at_once):
        block = np.arange(first, min(first + at_once, flows))
        positions = Positions(starts, np.full(flows, PACE))
        parts = [waiting]
        for kind, (row, _) in enumerate(FLOWS_MIX):
            chosen = block[kinds[block] == kind]
            offsets = np.array([numbers[player] for player in row])
            parts.append(
                positions.play(repertoire, chosen, offsets + rng.integers(0, VARIANTS, (chosen.size, len(row))))
            )
        following = first + at_once
        horizon = int(starts[following]) if following < flows else int(np.concatenate(parts)["time"].max()) + 1
        ready, waiting = split_by_time(np.concatenate(parts), horizon)
        yield ready, conversations
