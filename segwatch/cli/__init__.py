"""The commands: each module holds one, as ``command``."""
