"""What is remembered of each conversation, and how it is found again."""
