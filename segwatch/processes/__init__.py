"""Processes that outlive the command that started them: who they are, which locks and ports they hold."""
