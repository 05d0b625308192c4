"""``python -m segwatch``: the same as the program ``segwatch``."""

from segwatch.cli.main import main

if __name__ == "__main__":
    main()
