"""Long conversations out of short episodes, all conversations at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.generate.packets import CONVERSATION, PACKET, Conversations, Packets
from tests.generate.script import Episode

Integers = npt.NDArray[np.int64]
PACE = 256
"""Unit of a conversation's pace: times of its episodes are multiplied by ``pace / PACE``."""


class Repertoire:
    """Episodes by number, their packets in one array."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self.packets = np.concatenate([episode.packets for episode in episodes])
        self.counts = np.array([len(episode.packets) for episode in episodes])
        self.firsts = np.cumsum(self.counts) - self.counts
        self.durations = np.array([episode.duration for episode in episodes])
        self.advances = np.array([episode.advance for episode in episodes])


class Positions:
    """Where each conversation stands: its time (microseconds) and both sides' next sequence numbers."""

    def __init__(self, start: Integers, pace: Integers) -> None:
        self.time = start.copy()
        self.pace = pace
        self.next = np.zeros((len(start), 2), np.int64)

    def play(self, repertoire: Repertoire, conversations: Integers, episodes: Integers) -> Packets:
        """Return the packets of ``episodes[i, :]``, one after the other, for ``conversations[i]``, and move on."""
        durations = repertoire.durations[episodes] * self.pace[conversations, None] // PACE
        advances = repertoire.advances[episodes]
        starts = self.time[conversations, None] + np.cumsum(durations, axis=1) - durations
        bases = self.next[conversations, None, :] + np.cumsum(advances, axis=1) - advances
        self.time[conversations] += durations.sum(axis=1)
        self.next[conversations] += advances.sum(axis=1)
        flat = episodes.ravel()
        counts = repertoire.counts[flat]
        owner = np.repeat(np.arange(flat.size), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        packets: Packets = repertoire.packets[repertoire.firsts[flat][owner] + within]
        who = np.repeat(conversations, episodes.shape[1])[owner]
        own = bases.reshape(-1, 2)[owner, packets["sender"]]
        peer = bases.reshape(-1, 2)[owner, 1 - packets["sender"]]
        packets["time"] = starts.ravel()[owner] + packets["time"] * self.pace[who] // PACE
        packets["conversation"] = who
        packets["sequence"] += own
        packets["acknowledgment"] += peer
        packets["sack_left"] += peer
        packets["sack_right"] += peer
        return packets


def empty_packets() -> Packets:
    """Return no packets."""
    return np.empty(0, PACKET)


def split_by_time(packets: Packets, horizon: int) -> tuple[Packets, Packets]:
    """Return the packets before ``horizon`` in order of time, and those from it on."""
    early = packets["time"] < horizon
    ready = packets[early]
    return ready[np.argsort(ready["time"], kind="stable")], packets[~early]


def endpoints(rng: np.random.Generator, count: int, server_ports: Sequence[int]) -> Conversations:
    """Return ``count`` conversations, no two alike; one in eight is IPv6."""
    conversations = np.zeros(count, CONVERSATION)
    numbers = np.arange(count)
    ipv6 = numbers % 8 == 7
    conversations["ipv6"] = ipv6
    address, port = conversations["address"], conversations["port"]
    # One client for 20 conversations; its ports go up. Servers are few.
    client, server = numbers // 20, rng.integers(0, 250, count)
    address[:, 0, :4] = np.stack([np.full(count, 10), client >> 16 & 255, client >> 8 & 255, client & 255], axis=1)
    address[:, 1, :4] = np.stack([np.full(count, 198), np.full(count, 18), server // 100, 1 + server % 100], axis=1)
    address[ipv6] = 0
    address[ipv6, :, :4] = [0x20, 0x01, 0x0D, 0xB8]
    address[ipv6, 0, 13:] = np.stack([client >> 16 & 255, client >> 8 & 255, client & 255], axis=1)[ipv6]
    address[ipv6, 1, 5] = 1
    address[ipv6, 1, 15] = server[ipv6]
    port[:, 0] = 32768 + numbers % 20 * 1400 + rng.integers(0, 1400, count)
    port[:, 1] = rng.choice(server_ports, count)
    conversations["initial"] = rng.integers(0, 1 << 32, (count, 2))
    return conversations
