"""What the commands of one machine do: read captures, analyse them, count, store, report."""
