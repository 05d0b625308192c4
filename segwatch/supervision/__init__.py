"""Child processes that are kept running, and ended in order, whatever becomes of who started them."""
