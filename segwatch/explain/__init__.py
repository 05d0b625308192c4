"""The story of one connection in plain words, each sentence with its evidence."""
