"""Whether the documents can be followed: every command that they show is run, or says why it is not."""
