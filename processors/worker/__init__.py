"""The Faust worker: messages of segments in, findings and checkpoints out, nothing lost and nothing doubled."""
