"""Addresses replaced by others, the same on every sensor with the same key (Crypto-PAn)."""
