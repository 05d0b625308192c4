"""The fast path: frames with TCP to segment records, in compiled code."""
