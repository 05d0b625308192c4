"""What ``segwatch watch`` shows."""
