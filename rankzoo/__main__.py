"""`python -m rankzoo COMMAND`."""
from rankzoo.cli import cli

if __name__ == "__main__":
    cli.main()
