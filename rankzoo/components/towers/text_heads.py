"""Text heads: a dot product for what people do, and linear heads for what a text is about (MTRec; Bi et al., ACL 2022).

click     s = ⟨u, c⟩ + b                       as in the dot product
category  p = softmax(W_c c + b_c)             of the item's vector c
tags      p_m = softmax(W_n t_m + b_n)         of the state t_m of each word, by the same W_n

Heads may have `hidden` layers before their last map, and drop some of what they read in training: the re-implementations differ.

The heads teach the encoder that all of them share, and are dropped when serving: neither category nor tags are an input, so an
item needs none to be ranked. `over`: while the model learns they read all news that the encoder read, the clicked ones too, every
time that one occurs, those of a request once per batch; or the candidates alone.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp, linear_part, mlp_part
from rankzoo.components.notation import network
from rankzoo.components.representation.embeddings import handed
from rankzoo.components.row_losses import chosen, over, tagged
from rankzoo.components.slot import Width
from rankzoo.components.towers.dot_product import CANDIDATE, DotProduct, DotProductLayer
from rankzoo.components.towers.mlp import held
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Task
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Batch, Branches, Signal, tags_of, told_once
from rankzoo.trace import Trace


class TextHeads(DotProduct):
    """Reads two fields as they are, and the words' states of the candidate for tasks about words."""

    kind: Literal["text_heads"] = "text_heads"

    hidden: Annotated[tuple[Width, ...], Field(max_length=4, title="Hidden layers of the text heads")] = ()
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout of what they read")] = 0.0
    over: Annotated[Literal["all", "candidates"], Field(title="Text heads learn from: all items, or candidates alone")] = "all"

    main: ClassVar = ("scale", "hidden")
    short: ClassVar = "heads"
    keeps: ClassVar = ("gradient",)
    title: ClassVar = "Dot product and text heads"
    sentence: ClassVar = "A dot product ranks; linear heads on the same text vectors predict what the text is about."
    source: ClassVar = Source("Bi et al.", 2022, "MTRec: multi-task learning over BERT for news recommendation",
                              "Findings of ACL 2022", "10.18653/v1/2022.findings-acl.209")

    def written(self, task: Task) -> str:
        if task.single:
            return self.equation()
        read, m, n = (r"t_m", "_m", "n") if task.kind == "tags" else ("c", "", "c")
        hidden = r",\quad " + network("h", "relu", len(self.hidden), read) if self.hidden else ""
        return rf"p{m}=\mathrm{{softmax}}(W_{n} {'h' if hidden else read}+b_{n}){hidden}"

    def plain(self, shape: Shape) -> Shape:
        """The shape with the tasks that the dot product serves."""
        return shape.but(tasks=tuple(task for task in shape.tasks if task.single))

    def after(self, shape: Shape) -> Shape:
        super().after(self.plain(shape))
        for task in shape.tasks:
            if task.kind == "tags" and self.states(shape, task) not in shape.sequences:
                raise ZooError("The task '{task}' asks for a tag of every word, and the representation hands no words on.",
                               "Set representation.kind to text_encoder.", at=shape.at, task=task.name,
                               cure=("representation.kind", "text_encoder"), comes=axes("L", 0), needs=axes("L", "d"))
            shape.schema.classes(task)
        return shape.but(origin={**shape.origin, **{f"tower.{t.name}": f"{shape.at}.{t.name}" for t in shape.tasks}})

    def past(self, shape: Shape) -> dict[str, tuple[str, str, int]]:
        """By task whose head learns from past items: their history, the sequence of their own vectors or words (whatever rewrites
        the history itself), and which field names them. None where `over` says so, or past items are no items as the candidate
        is one."""
        schema, history = shape.schema, self.pair(shape)[0]
        if self.over == "candidates" or self.item != CANDIDATE or history not in handed(schema):
            return {}
        found, told = {}, {f.name for f in schema.catalogue.schema.features}
        for task in shape.tasks:
            tags = task.kind == "tags"
            name = f"{history}.{schema.tagged(task)[0].name if tags else schema.catalogue.name}"
            _, width, times = self.inputs(shape, task)
            known = tags or not task.single and not schema.named(task.of) and task.of in told
            if known and self.like(shape, name, width * times):
                found[task.name] = history, name, handed(schema)[history]
        return found

    def like(self, shape: Shape, name: str, width: int) -> bool:
        """Whether past items come as wide as what a head reads of the candidate."""
        return name in shape.sequences and shape.sequences[name].width == width

    def states(self, shape: Shape, task: Task) -> str:
        """The name under which the words' states of the candidate come."""
        return f"{shape.schema.catalogue.name}.{shape.schema.tagged(task)[0].name}"

    def inputs(self, shape: Shape, task: Task) -> tuple[str, int, int]:
        """What the head of a task reads: its name, its width, and how many there are of a row."""
        if task.kind == "tags":
            words = shape.sequences[self.states(shape, task)]
            return self.states(shape, task), words.width, words.length
        return self.item, shape.fields[self.item], 1

    def count(self, shape: Shape) -> Count:
        heads = []
        for task in (task for task in shape.tasks if not task.single):
            _, width, times = self.inputs(shape, task)
            heads += [mlp_part(f"deep.{task.name}", width, self.hidden, times=times)] if self.hidden else []
            heads.append(linear_part(f"head.{task.name}", self.last(width), shape.schema.classes(task), times=times))
        return super().count(self.plain(shape)) + Count(tuple(heads))

    def last(self, width: int) -> int:
        """Width of what a head's last map reads."""
        return self.hidden[-1] if self.hidden else width

    def draw(self, shape: Shape) -> Drawing:
        drawn, count = super().draw(self.plain(shape)), self.count(shape)
        blocks, edges = list(drawn.blocks), list(drawn.edges)
        for task in (task for task in shape.tasks if not task.single):
            at, (name, width, times) = f"{shape.at}.{task.name}", self.inputs(shape, task)
            own = sum(count.within(f"{part}.{task.name}").parameters for part in ("deep", "head"))
            detail = "each word" if times > 1 else "relu" if self.hidden else "linear"
            blocks.append(Block(at, "towers", "tower", f"Tower {task.name}", detail,
                                (*self.hidden, shape.schema.classes(task)), own, task=task.name, holds=held(shape, task)))
            edges.append(Edge(shape.origin[name], at, width, times=times))
            if task.name in self.past(shape) and times == 1:  # where words are read, both come from the node of the items
                edges.append(Edge(shape.origin[shape.schema.catalogue.name], at, width))
        order = [f"{shape.at}.{task.name}" for task in shape.tasks]
        return Drawing(tuple(sorted(blocks, key=lambda block: order.index(block.address))), tuple(edges))

    def build(self, shape: Shape) -> TextHeadsLayer:
        return TextHeadsLayer(self, shape)


class TextHeadsLayer(DotProductLayer):
    """Adds `deep.<task>` and `head.<task>`: the item's vector (row, width) → (row, class), or words (row, place, width) → (row,
    place, tag)."""

    def __init__(self, spec: TextHeads, shape: Shape):
        super().__init__(spec, spec.plain(shape))
        others = {task: spec.inputs(shape, task) for task in shape.tasks if not task.single}
        self.read = {task.name: (name, task.kind == "tags") for task, (name, _, _) in others.items()}
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        self.deep = ByTask({task.name: Mlp(width, spec.hidden) for task, (_, width, _) in others.items()})
        self.head = ByTask({task.name: nn.Linear(spec.last(width), shape.schema.classes(task))
                            for task, (_, width, _) in others.items()})
        self.order = tuple(task.name for task in shape.tasks)
        self.past, schema = spec.past(shape), shape.schema
        self.teaches = tuple(self.past)
        self.of = {task.name: (schema.tagged(task)[0].name, schema.tagged(task)[1]) if task.kind == "tags" else (task.of, 0)
                   for task in shape.tasks if task.name in self.past}
        self.wide = {task.name: width for task, (_, width, _) in others.items()}

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        logits = super().forward(branches, signal, trace)
        for task, (name, words) in self.read.items():
            logits[task] = self.said(task, signal.sequences[name].values if words else signal.fields[name])
        return {task: logits[task] for task in self.order}

    def said(self, task: str, x: Tensor) -> Tensor:
        """A head's logits: (…, width) → (…, class)."""
        x = x if self.dropout is None else self.dropout(x)
        return self.head[task](self.deep[task](x))

    def taught(self, branches: Branches, signal: Signal, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """The losses of past items. What is right is known of the item itself."""
        found = {}
        for task, (history, name, column) in self.past.items():
            places = told_once(batch, history)
            item, x = batch.histories[history][:, :, column].reshape(-1)[places], signal.sequences[name].at(places)
            found[task] = over(*self.missed(task, x, item, batch))
        return found

    def missed(self, task: str, x: Tensor, item: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of every past item, and whether it counts: (item, width), (item,) → (item,), (item,) bool."""
        of, field = self.of[task]
        if self.read[task][1]:
            words = self.said(task, x.unflatten(1, (-1, self.wide[task])))
            return tagged(words.float(), *tags_of(batch, of, field, item))
        logit, label = self.said(task, x).float(), batch.catalogue.features[of][item]
        return chosen(logit, label, torch.arange(logit.shape[1]) > 0), label > 0
