"""Toy: what the data decide of an exported file: the classes of a batch and a signal, random rows, a short training."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from rankzoo.components.losses.base import HEAVIEST, LossLayer
from rankzoo.export.pytorch import turn
from rankzoo.export.pytorch.source import Line, laid, quoted
from rankzoo.export.pytorch.writing import literal
from rankzoo.schema import Catalogue, Feature, History, Schema, Task

MEMBERS = {
    "features": "dict[str, Tensor]  # (row,) each: ids, 0 = unknown, or standardised numbers",
    "histories": "dict[str, Tensor]  # (row, position, field) ids, padded at the end",
    "masks": "dict[str, Tensor]  # (row, position) bool, True where an item stands",
    "labels": "dict[str, Tensor]  # (row,) each",
    "observed": "dict[str, Tensor]  # (row,) bool each: whether the row counts for the task",
    "group": "Tensor  # (row,) the number of the request that a row belongs to",
    "catalogue": "Batch  # the items that rows name, one row each; row 0 is the unknown item",
    "seen": "Tensor  # (item,) bool: the items that the training part names",
    "listed": "Tensor  # (row, place) items that a row is known to go with, each once",
    "grades": "Tensor  # (row, place) how well"}
MAPPINGS = ("features", "histories", "masks", "labels", "observed")
SIGNAL = {
    "fields": "dict[str, Tensor] = field(default_factory=dict)  # (row, width) each",
    "sequences": "dict[str, Sequence] = field(default_factory=dict)",
    "aside": "dict[str, Tensor] = field(default_factory=dict)  # (row,) each: raw inputs, which bypass the embeddings",
    "joins": "dict[str, Tensor] = field(default_factory=dict)  # (row, width) each: crosses for the concatenation",
    "head": "dict[str, Tensor] = field(default_factory=dict)  # (row, width) each: crosses for the last linear map",
    "logits": "dict[str, Tensor] = field(default_factory=dict)  # (row,) each: what is added to a task's logit",
    "catalogue": "Tensor | None = None  # (item, width): every item's vector"}


def batch_class(members: Iterable[str]) -> list[str]:
    """The class of a batch with the members that the model and its loss read."""
    lines = ["@dataclass", "class Batch:", '    """Rows as tensors; what a row of them lacks is left out."""', ""]
    for name, said in MEMBERS.items():
        if name in members:
            kind, _, comment = said.partition("  # ")
            kind = f"{kind} = field(default_factory=dict)" if name in MAPPINGS else f"{kind} | None = None"
            lines.append(f"    {name}: {kind}  # {comment}")
    return lines


def signal_class(members: Iterable[str]) -> list[str]:
    """The class of what flows from step to step."""
    lines = ["@dataclass", "class Signal:", '    """What flows from the features to the towers."""', ""]
    return [*lines, *(f"    {name}: {said}" for name, said in SIGNAL.items() if name in members)]


SEQUENCE = [
    "class Sequence(NamedTuple):",
    '    """A history: its items as vectors (row, position, width), and which are there (row, position)."""',
    "", "    values: Tensor", "    mask: Tensor"]
PLACES = [
    "", "    def at(self, places: Tensor) -> Tensor:",
    '        """Some positions, numbered through all rows: (item,) → (item, width)."""',
    "        return self.values.flatten(0, 1)[places]"]


def toy_batch(schema: Schema, tasks: Iterable[Task], members: Iterable[str], code: str, items: bool, many: tuple[str, ...]
              ) -> list[str]:
    """The function that makes random rows; `code` is the file so far, which names the features that are read, `many` the numbers
    that it calls NUMBERS."""
    members = set(members)
    lines = [Line(0, "def toy_batch(rows: int = 64) -> Batch:"),
             Line(1, "Random rows of the right kinds, in place of a loader for your data.", doc=True)]
    lines += _lengths(schema.histories, members, code, "rows", 1)
    parts = _rows(schema.features, schema.histories, members, code, "rows", many)
    if "labels" in members:
        parts["labels"] = [f"{quoted(t.name)}: {_label(t, schema)}" for t in tasks]
        parts["observed"] = ["task: torch.ones(rows, dtype=torch.bool) for task in TASKS"]
    if "group" in members:
        parts["group"] = "torch.arange(rows) // 8"
    if schema.catalogue and items:
        lines += _items(schema.catalogue, members, code)
        parts["catalogue"] = "items"
    if schema.catalogue and "seen" in members:
        parts["seen"] = f"torch.arange({schema.catalogue.rows}) > 0"
    if schema.grades and "listed" in members:
        length, rows = schema.grades.length, schema.catalogue.rows
        lines.append(Line(1, f"listed = 1 + torch.rand(rows, {rows - 1}).argsort(dim=1)[:, :{length}]"))
        most = len(schema.grades.tasks)
        lines.append(Line(1, f"grades = torch.randint({most + 1}, listed.shape).sort(dim=1, descending=True).values"))
        lines.append(Line(1, f"grades[:, 0] = {most}"))
        parts["labels"] = [f"{quoted(t.name)}: listed[:, 0].float()" if t.name in schema.grades.tasks else said
                           for t, said in zip(tasks, parts["labels"], strict=True)]
        parts["listed"], parts["grades"] = "listed", "grades"
    return [*laid(lines), *_made("return Batch", {name: parts[name] for name in MEMBERS if name in parts}, 1)]


def _made(head: str, parts: dict[str, list[str] | str], depth: int) -> list[str]:
    """A batch, an argument a line, an entry a line."""
    pad, found = " " * 4 * depth, [" " * 4 * depth + head + "("]
    for name, said in parts.items():
        if isinstance(said, str):
            found.append(f"{pad}    {name}={said},")
        elif len(said) == 1 and len(said[0]) < 90:
            found.append(f"{pad}    {name}={{{said[0]}}},")
        else:
            found += [f"{pad}    {name}={{", *laid([Line(depth + 2, f"{each},") for each in said]), f"{pad}    }},"]
    found[-1] = found[-1].removesuffix(",") + ")"
    return found


def _used(name: str, code: str) -> bool:
    return quoted(name) in code


def _rows(features: Iterable[Feature], histories: Iterable[History], members: set[str], code: str, rows: str,
          many: tuple[str, ...]) -> dict[str, list[str] | str]:
    parts: dict[str, list[str] | str] = {"features": [
        f"{quoted(f.name)}: {_values(f, rows)}" for f in features
        if _used(f.name, code) and not (f.kind == "numeric" and f.name in many)]}
    if not parts["features"] and not many:  # nothing is read but how many rows there are
        parts["features"] = [f"{quoted(f.name)}: {_values(f, rows)}" for f in features]
    if many:
        parts["features"] += [f"**{{name: torch.randn({rows}) for name in NUMBERS}}"]
    used = [(i, h) for i, h in enumerate(histories) if _used(h.name, code)]
    if used and "histories" in members:
        parts["histories"] = [f"{quoted(h.name)}: {_history(h, rows, i)}" for i, h in used]
        parts["masks"] = [f"{quoted(h.name)}: mask_{i}" for i, h in used]
    return parts


def _values(feature: Feature, rows: str) -> str:
    return f"torch.randint({feature.vocabulary}, ({rows},))" if feature.kind == "categorical" else f"torch.randn({rows})"


def _history(h: History, rows: str, i: int) -> str:
    columns = ", ".join(f"torch.randint(1, {max(f.vocabulary, 2)}, ({rows}, {h.length}))" for f in h.fields)
    return f"torch.stack([{columns}], dim=2) * mask_{i}.unsqueeze(2)"


def _lengths(histories: Iterable[History], members: set[str], code: str, rows: str, depth: int) -> list[Line]:
    if "masks" not in members:
        return []
    used = [(i, h, f"torch.randint({h.length + 1}, ({rows}, 1))") for i, h in enumerate(histories) if _used(h.name, code)]
    return [Line(depth, f"mask_{i} = torch.arange({h.length}) < {drawn}", f"# {quoted(h.name)}") for i, h, drawn in used]


def _label(task: Task, schema: Schema) -> str:
    if task.kind == "tags":
        return f"torch.randint(1, {schema.catalogue.rows}, (rows,)).float()"
    if task.kind == "class":
        return f"torch.randint(1, {max(schema.classes(task), 2)}, (rows,)).float()"
    return {"binary": "torch.randint(2, (rows,)).float()", "share": "torch.rand(rows)"}.get(task.kind, "torch.randn(rows)")


def _items(catalogue: Catalogue, members: set[str], code: str) -> list[Line]:
    rows = str(catalogue.rows)
    lines = []
    for i, h in enumerate(catalogue.schema.histories):
        if _used(h.name, code):
            drawn = f"torch.randint({h.length + 1}, ({rows}, 1))"
            lines.append(Line(1, f"there_{i} = torch.arange({h.length}) < {drawn}", f"# {quoted(h.name)}"))
    about = [f for f in catalogue.schema.features if _used(f.name, code)]
    parts = []
    if about:
        inside = ", ".join(f"{quoted(f.name)}: {f'torch.arange({rows})' if f.name == catalogue.name else _values(f, rows)}"
                           for f in about)
        parts.append(f"features={{{inside}}}")
    used = [(i, h) for i, h in enumerate(catalogue.schema.histories) if _used(h.name, code)]
    if used:
        each = ", ".join(f"{quoted(h.name)}: {_history(h, rows, i).replace('mask_', 'there_')}" for i, h in used)
        parts += [f"histories={{{each}}}", f"masks={{{', '.join(f'{quoted(h.name)}: there_{i}' for i, h in used)}}}"]
    return [*lines, Line(1, f"items = Batch({', '.join(parts)})")]


def training(losses: LossLayer, sights: bool, rates: Mapping[str, float], combine: str,
             tasks: tuple[str, ...]) -> list[str]:
    """The short training, which ends within an epoch, and what runs it; `sights`: a table whose ids come and go is told
    of each batch; `rates`: what the learning rate of a layer is multiplied by; `combine`: the way in which tasks are
    combined, their sum where the file has no other."""
    total = "sum(losses.values())"
    weights, factors = losses.weights, {task: factor for task, factor in losses.factors.items() if factor != 1}
    if factors or any(weight != 1 for weight in weights.values()):
        total = "sum(WEIGHTS.get(name, 1.0) * loss for name, loss in losses.items())"
    sight = ["        model.representation.sight(batch)"] if sights else []
    made = ["    batch, optimizer = toy_batch(), torch.optim.Adam(model.parameters(), lr=lr)"]
    if rates:
        times = "next((rate for at, rate in RATES.items() if name.startswith(at)), 1.0)"
        made = ['    groups = [{"params": [parameter],', f'               "lr": lr * {times}}}',
                "              for name, parameter in model.named_parameters()]",
                "    batch, optimizer = toy_batch(), torch.optim.Adam(groups)"]
    backward = ["        loss.backward()"]
    if combine in turn.WAYS and len(tasks) > 1:
        each = "{name: WEIGHTS.get(name, 1.0) * each for name, each in losses.items()}" if "WEIGHTS" in total else "losses"
        backward = laid([Line(2, f"turned({each}, {literal(tasks)}, model, mutual={combine == 'mtrec_mutual'})")])
    lines = ["def train(model: RankingModel, steps: int = 20, lr: float = 1e-3) -> None:",
             '    """Some steps of Adam on one toy batch."""', *made, "    model.train()",
             "    for step in range(steps):", *sight, "        losses = model.loss(batch)", f"        loss = {total}",
             "        optimizer.zero_grad()", *backward, "        optimizer.step()",
             '        each = "  ".join(f"{task} {value.item():.4f}" for task, value in losses.items())',
             '        print(f"step {step}  loss {loss.item():.4f}  {each}")',
             "", "", 'if __name__ == "__main__":', "    torch.manual_seed(0)", "    model = RankingModel()",
             "    if len(sys.argv) > 1:", "        model.load_state_dict(torch.load(sys.argv[1], weights_only=True))",
             "    train(model)"]
    lines = [*turn.lines(), "", "", *lines] if "turned(" in backward[0] else lines
    constants = _constants(weights if "WEIGHTS" in total else {}, factors, rates)
    return [*constants, "", "", *lines] if constants else lines


def _constants(weights: Mapping[str, float], factors: Mapping[str, float], rates: Mapping[str, float]) -> list[str]:
    """The weights of the losses and what becomes of them, and what multiplies learning rates, where there are any."""
    constants = []
    if weights:
        inside = ", ".join(f'"{task}": {weight!r}' for task, weight in weights.items())
        after = [f'#   WEIGHTS["{task}"] = min({factor!r} * WEIGHTS["{task}"], {HEAVIEST})' for task, factor in factors.items()]
        constants += ["# These are the weights of the first epoch. After each epoch:", *after] if factors else []
        constants.append(f"WEIGHTS = {{{inside}}}")
    if rates:
        inside = ", ".join(f'"{at}.": {rate!r}' for at, rate in rates.items())
        constants += ["# What multiplies the learning rate, by how a parameter's name begins:", f"RATES = {{{inside}}}"]
    return constants
