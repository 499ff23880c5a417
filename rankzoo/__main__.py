"""`python -m rankzoo COMMAND`."""
import atexit
import contextlib
import gc
import os
import sys

gc.set_threshold(100_000, 50, 50)  # to walk the objects of libraries as often as usual takes a tenth of `show`


class Ending:
    """The end of the process, which gives its memory back as a whole: Python takes torch apart piece by piece, which is a
    fifth of `show`. An error that nobody foresaw leaves status 1."""

    status: object = 1

    def __call__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # who read it had enough, or it is closed
                stream.flush()
        os._exit(self.status if isinstance(self.status, int) else 1)


if __name__ == "__main__":
    ending = Ending()
    atexit.register(ending)  # what is registered first runs last, behind what libraries have to do
    from rankzoo.cli import cli

    try:
        cli.main()
    except SystemExit as end:
        ending.status = end.code or 0
        raise
