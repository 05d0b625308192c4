"""The lab: real TCP through a middlebox that loses, delays and doubles packets, with the truth about every repeat.

``python -m tests.lab --help`` runs it; docs/lab.md explains it.
"""
