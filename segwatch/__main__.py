"""``python -m segwatch``: the program."""

from segwatch.cli.main import main

main()
