"""`bench`: how fast a model trains on a table of any size. Without limits, without a run in the store."""
from __future__ import annotations

from pathlib import Path

import click

from rankzoo.commands.output import emit, json_option, shown


@click.command()
@click.option("--model", required=True, help="A system's id; dnn is embeddings and an MLP.")
@click.option("--data", "file", required=True, type=click.Path(path_type=Path), help="Parquet: I* numbers, C* ids, H* histories.")
@click.option("--batch-size", type=int, default=1024, show_default=True)
@click.option("--steps", type=int, default=200, show_default=True)
@click.option("--embedding-dim", type=int, default=16, show_default=True)
@click.option("--hidden", default="256,128,64", show_default=True, help="Widths of the deep part.")
@click.option("--labels", default="label", show_default=True, help="Columns with the labels, by commas.")
@click.option("--lr", type=float, default=1e-3, show_default=True, help="Learning rate of Adam.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True,
              help="Of the matrix products; auto: bfloat16 where the CPU has it and it is faster.")
@json_option
def bench(model: str, file: Path, batch_size: int, steps: int, embedding_dim: int, hidden: str, labels: str, lr: float,
          seed: int, threads: int, precision: str, as_json: bool) -> None:
    """Measure training: examples a second, seconds to the first step, memory, hold-out AUC."""
    from rankzoo.bench import Order, measure

    answer = measure(Order(model, file, batch_size, steps, embedding_dim, hidden, tuple(labels.split(",")), lr, seed, threads,
                           precision))
    emit(as_json, answer, "\n".join(line for name, value in answer.items() for line in lines(name, value)))


def lines(name: str, value: object) -> list[str]:
    """A figure for people; the AUC by label takes a line for each label."""
    if isinstance(value, dict):
        return [line for label, auc in value.items() for line in lines(f"auc of {shown(label)}", auc)]
    return [f"{name}: {value:,.4f}" if isinstance(value, float) else f"{name}: {value}"]
