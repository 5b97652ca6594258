"""`python -m gateway`, for where the console script is not on the path."""

from gateway.cli import main

main()
