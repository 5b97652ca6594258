"""Run it: `python -m torture`."""

from torture.command import main

if __name__ == "__main__":
    main()
