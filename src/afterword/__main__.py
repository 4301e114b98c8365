"""`python -m afterword` is the `afterword` command."""

from afterword.cli import main

if __name__ == "__main__":
    main()
