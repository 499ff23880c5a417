"""`python -m rankzoo COMMAND`."""
import gc

gc.set_threshold(100_000, 50, 50)  # to walk the objects of libraries as often as usual takes a tenth of `show`

from rankzoo.cli import cli  # noqa: E402

if __name__ == "__main__":
    cli.main()
