"""Why segments were sent again, came late or twice: judged after the labels, over the same batches."""
