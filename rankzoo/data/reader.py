"""The process that opens a file of unknown origin: `python -m rankzoo.data.reader FILE RESULT`, its order on stdin.

It limits its own memory and CPU time first, then decides by the first bytes what the file is. On stdout stands one line of
JSON: {} when RESULT was written, else the parts of a ZooError. It imports neither torch nor anything of the models.
"""
from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path

from rankzoo.data import csv_file, parquet_file
from rankzoo.data.later import pa, pq
from rankzoo.data.limits import Limits
from rankzoo.errors import ZooError

# A Parquet file of some kilobytes can unpack to gigabytes; a CSV of whole numbers grows about four times.
UNPACKED = 8
# First bytes of what people take for a table: archives, programs, images, documents, other table formats.
FOREIGN = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!", b"MZ", b"\x7fELF", b"%PDF",
           b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"SQLite format", b"\x89HDF", b"ARROW1", b"ORC", b"Obj\x01",
           b"\xd0\xcf\x11\xe0", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\x93NUMPY", b"\x04\"M\x18")


def main() -> None:
    """Reads the order, obeys it under its limits, and says how it went."""
    order = json.loads(sys.stdin.read())
    limits = Limits(**order["limits"])
    restrain(limits)
    try:
        convert(Path(sys.argv[1]), order["name"], Path(sys.argv[2]), limits)
        answer: dict = {}
    except ZooError as error:
        answer = {"what": error.what, "fix": error.fix, "at": error.at, "values": error.values}
    sys.stdout.write(json.dumps(answer) + "\n")


def convert(path: Path, name: str, result: Path, limits: Limits) -> None:
    """Writes the file's table to `result`, or raises the sentence that says why not."""
    with path.open("rb") as file:
        head = file.read(16)
    suffix = Path(name).suffix.casefold()
    if not head:
        raise ZooError("The file is empty.", "Choose a file with a header and rows.")
    if head.startswith(FOREIGN) or (head.startswith(b"PAR1") and suffix == ".csv"):
        raise ZooError("This type of file is not read. Use a .csv or .parquet file that is not compressed.")
    if head.startswith(b"PAR1"):
        tables = parquet_file.batches(path, limits)
    elif suffix in (".parquet", ".pq", ".pkl", ".pickle") or (head[:1] == b"\x80" and head[1] <= 5):
        raise parquet_file.damaged()
    else:
        tables = csv_file.batches(path, limits)
    first = next(tables)
    unpacked, most = 0, UNPACKED * limits.bytes
    with pq.ParquetWriter(result, first.schema, compression="zstd") as writer:
        for batch in chain([first], tables):
            unpacked += batch.nbytes
            if unpacked > most:
                raise ZooError("Unpacked, the table takes more than {limit} bytes.", "Use fewer rows or columns.",
                               limit=f"{most:,}")
            writer.write_batch(batch)


def restrain(limits: Limits) -> None:
    """Memory and CPU time of this process from now on; where the system has no such limits, the parent's clock remains."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    try:
        import resource
    except ImportError:
        return
    used = _virtual_memory()
    for kind, most in ((resource.RLIMIT_AS, used + limits.memory), (resource.RLIMIT_CPU, limits.seconds),
                       (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
        except (ValueError, OSError):
            continue


def _virtual_memory() -> int:
    """Bytes of address space in use; on systems without /proc a generous guess."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[0]) * 4096 if status.exists() else 2**31


if __name__ == "__main__":
    main()
