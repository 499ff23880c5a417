"""`python -m rankzoo COMMAND`."""
import gc

gc.set_threshold(100_000, 50, 50)  # libraries leave a million objects: walked as often as usual, they cost a tenth of a second

from rankzoo.cli import cli  # noqa: E402

if __name__ == "__main__":
    cli.main()
