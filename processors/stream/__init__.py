"""The analysis of a stream that never ends, without I/O: messages of one partition in, messages of findings out."""
