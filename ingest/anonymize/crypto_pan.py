"""Crypto-PAn: two addresses that share the first k bits share as many afterwards, and no more.

J. Xu, J. Fan, M. Ammar, S. Moon: "Prefix-Preserving IP Address Anonymization: Measurement-based Security Evaluation and
a New Cryptography-based Scheme", ICNP 2002. Bit k of an address is inverted where AES says so of the k bits before it,
filled up to a block with the padding that the key contains. IPv6 is treated alike, with 128 bits (as the
implementations at hand do it); IPv4 stays IPv4.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES: Final = 32
"""A key of AES-128, and as much padding."""
_BLOCK: Final = 16
_IPV4_BITS: Final = 32
_IPV6_BITS: Final = 128
_AT_ONCE: Final = 1024
"""Addresses encrypted together: 2 MiB of blocks at most."""
_MAPPED: Final = np.frombuffer(bytes(10) + b"\xff\xff" + bytes(4), np.uint64)
"""IPv4 stands in the last four bytes behind this prefix (RFC 4291 section 2.5.5.2)."""
_MAPPED_BYTES: Final = 12


class CryptoPan:
    """Replaces addresses; safe to be used by several threads."""

    def __init__(self, key: bytes) -> None:
        """Use a key of ``KEY_BYTES``."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        # Single blocks, none of which says anything about another: that is what the scheme asks for.
        self._cipher = Cipher(algorithms.AES(key[:_BLOCK]), modes.ECB())  # noqa: S305
        padding = np.frombuffer(self._encrypted(key[_BLOCK:]), np.uint8)
        self._masks = {bits: _prefix_masks(bits) for bits in (_IPV4_BITS, _IPV6_BITS)}
        self._rests = {bits: ~masks & padding.view(np.uint64) for bits, masks in self._masks.items()}

    def anonymized(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return (N, 2) other addresses for (N, 2) ``addresses``, 16 bytes each as they are on the wire."""
        result = addresses.copy()
        octets = result.view(np.uint8)
        is_ipv4 = (octets[:, :_MAPPED_BYTES] == _MAPPED.view(np.uint8)[:_MAPPED_BYTES]).all(axis=1)
        for rows, bits in ((np.flatnonzero(is_ipv4), _IPV4_BITS), (np.flatnonzero(~is_ipv4), _IPV6_BITS)):
            for start in range(0, len(rows), _AT_ONCE):
                part = rows[start : start + _AT_ONCE]
                octets[part, _BLOCK - bits // 8 :] ^= self._inversions(octets[part], bits)
        return result

    def _inversions(self, octets: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
        """Return (N, bits / 8) which of the last ``bits`` of (N, 16) addresses are inverted."""
        first = np.zeros((len(octets), _BLOCK), np.uint8)
        first[:, : bits // 8] = octets[:, _BLOCK - bits // 8 :]
        blocks = (first.view(np.uint64)[:, None, :] & self._masks[bits]) | self._rests[bits]
        encrypted = np.frombuffer(self._encrypted(blocks.data.cast("B")), np.uint8)
        return np.packbits(encrypted[::_BLOCK].reshape(-1, bits) >> 7, axis=1)

    def _encrypted(self, blocks: Any) -> bytes:
        encryptor = self._cipher.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()


def _prefix_masks(bits: int) -> npt.NDArray[np.uint64]:
    """Return (bits, 2): row k selects the first k bits of a block."""
    ones = np.tri(bits, _BLOCK * 8, -1, dtype=np.uint8)
    return np.packbits(ones, axis=1).view(np.uint64)
