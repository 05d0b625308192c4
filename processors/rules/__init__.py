"""Wireshark's rules, one small function each. Step numbers are those of ``docs/labels.md``."""
