"""Run every measurement: `python -m bench`."""

from bench import events

if __name__ == "__main__":
    events.main()
