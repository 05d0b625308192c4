"""What ``segwatch watch`` does: a capture, the engine, and a picture of what they find, in one process."""
