"""The parts of live capture that need no interface."""
