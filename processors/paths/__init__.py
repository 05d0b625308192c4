"""Several captures of the same connections: what happened to each packet on its way, and where."""
