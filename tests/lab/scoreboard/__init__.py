"""How often verdicts are right: on the lab's stored captures, beside the truth and beside what other programs say."""
