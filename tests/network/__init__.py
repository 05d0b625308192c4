"""Several sensors' verdicts in the store: each event of the network once, at its hop."""
