"""Packets in, segment records out: capture files, decoding, tunnels."""
