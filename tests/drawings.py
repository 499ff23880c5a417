"""Small models as blocks, for the tests of layout and drawing: no torch, no world, every address by the conventions."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rankzoo.figures.layout import Column
from rankzoo.figures.tree import Tree
from rankzoo.shape import Block, Flow

TITLES = {"representation": "Features", "sequence": "Attention", "interaction": "Interaction", "concatenation": "Concat",
          "sharing": "Sharing", "towers": "Deep", "losses": "Loss"}


def columns(blocks: Sequence[Block]) -> tuple[Column, ...]:
    """The seven columns, used where the model has a block."""
    used = {block.slot for block in blocks}
    return tuple(Column(slot, i, title, f"what {title} does here", slot in used)
                 for i, (slot, title) in enumerate(TITLES.items(), 1))


def features(count: int, to: Sequence[str], width: int = 16) -> list[Block]:
    """`count` features in three groups, each flowing to all of `to`."""
    groups = ("user", "item", "context")
    return [Block(f"representation.f{i}", "representation", "feature", f"feature_{i}", "", (100 * (i + 1), width),
                  100 * (i + 1) * width, tuple(Flow(name, width) for name in to), group=groups[3 * i // count])
            for i in range(count)]


def placed(blocks: Sequence[Block], tasks: Sequence[str]) -> tuple[Block, ...]:
    """The same blocks, those of a task with its place."""
    return tuple(replace(each, place=tasks.index(each.task)) if each.task else each for each in blocks)


def heads(tasks: Sequence[str], loss: str = "cross-entropy") -> list[Block]:
    """One head per task."""
    return [Block(f"losses.{t}", "losses", "head", t, loss, task=t, words=("weight 1",)) for t in tasks]


def mmoe(experts: int = 4, tasks: Sequence[str] = ("click", "watch", "like", "dismiss"), inputs: int = 10,
         widths: tuple[int, ...] = (64, 32), bottom: int = 128, bias: bool = True) -> tuple[Block, ...]:
    """Features, concat, a shared layer, experts, gates, towers, heads; position bias at the first task."""
    names, joined = [f"sharing.expert.{i}" for i in range(experts)], 16 * inputs
    gates = [f"sharing.gate.{t}" for t in tasks]
    blocks = features(inputs, ["concatenation"])
    blocks.append(Block("concatenation", "concatenation", "concat", "concat", "", (joined,), 0,
                        (Flow("sharing.bottom", joined),)))
    blocks.append(Block("sharing.bottom", "sharing", "layer", "shared", "", (bottom,), joined * bottom,
                        tuple(Flow(name, bottom) for name in [*names, *gates])))
    blocks += [Block(name, "sharing", "expert", f"Expert {i + 1}", "", widths, 1000,
                     tuple(Flow(gate, widths[-1]) for gate in gates))
               for i, name in enumerate(names)]
    blocks += [Block(gate, "sharing", "gate", f"gate {t}", "softmax", (experts,), 100, (Flow(f"towers.{t}", 32),), task=t)
               for gate, t in zip(gates, tasks, strict=True)]
    blocks += [Block(f"towers.{t}", "towers", "tower", f"Tower {t}", "", (16, 1), 545, (Flow(f"losses.{t}", 1),), task=t)
               for t in tasks]
    if bias:
        blocks.append(Block("representation.position", "representation", "bias", "position", "", (11, 1), 11,
                            (Flow("towers.bias", 1, True),), group="bias"))
        blocks.append(Block("towers.bias", "towers", "bias_tower", "Bias tower", "", (16, 1), 40,
                            (Flow(f"losses.{tasks[0]}", 1, True),)))
    return placed((*blocks, *heads(tasks)), tasks)


def deep(units: tuple[int, ...] = (200, 80, 1)) -> list[Block]:
    """Concat, one tower and one head."""
    return [Block("concatenation", "concatenation", "concat", "concat", "", (124,), 0, (Flow("towers.click", 124),)),
            Block("towers.click", "towers", "tower", "MLP", "relu", units, 4000, (Flow("losses.click", 1),), task="click"),
            *heads(["click"])]


def din(histories: int = 1, length: int = 30) -> tuple[Block, ...]:
    """Target attention over one or more histories, then a deep network."""
    blocks = features(4, ["concatenation", *(f"sequence.{i}.candidate" for i in range(histories))])
    for i in range(histories):
        at = f"sequence.{i}"
        blocks += [Block(f"representation.past{i}", "representation", "history", f"past{i}", "past items", (length, 48), 0,
                         (Flow(at, 48),), group="history"),
                   Block(f"{at}.candidate", "sequence", "candidate", "candidate", "query", (48,), 0, (Flow(at, 48),)),
                   Block(at, "sequence", "scorer", "activation unit", "c, h, c−h, c⊙h", (36, 1), 6985,
                         (Flow(f"{at}.sum", 48),)),
                   Block(f"{at}.sum", "sequence", "sum", "Σ", "", (48,), 0, (Flow("concatenation", 48),),
                         past=f"past{i}")]
    return (*blocks, *deep())


def dcn(layers: int = 2, inputs: int = 8, wide: bool = True) -> tuple[Block, ...]:
    """Parallel DCN-v2: crosses beside the plain fields, and a linear part that bypasses the deep network."""
    width = 16 * inputs
    blocks = features(inputs, ["interaction.0.layer.0", "concatenation", *(["interaction.1"] if wide else [])])
    for i in range(layers):
        to = f"interaction.0.layer.{i + 1}" if i < layers - 1 else "concatenation"
        blocks.append(Block(f"interaction.0.layer.{i}", "interaction", "cross", f"x₀ ⊙ {i + 1}", "full", (width,),
                            width * width, (Flow(to, width),), again=width if i else 0))
    if wide:
        blocks.append(Block("interaction.1", "interaction", "linear", "linear", "first order", (900, 1), 900,
                            (Flow("towers.click", 1),)))
    return (*blocks, *deep((256, 128, 1)))


def ple(tasks: Sequence[str] = ("install", "swipe"), each: int = 2, levels: int = 2) -> tuple[Block, ...]:
    """Progressive layered extraction: own and shared experts per level; the top level has no shared gate."""
    bands = [*tasks, "shared"]
    names = [{b: [f"sharing.level.{k}.expert.{b}.{i}" for i in range(each)] for b in bands} for k in range(levels)]
    first = tuple(Flow(name, 160) for band in names[0].values() for name in band)
    blocks = [*features(10, ["concatenation"]),
              Block("concatenation", "concatenation", "concat", "concat", "", (160,), 0, first)]
    for k in range(levels):
        gates = bands if k < levels - 1 else list(tasks)
        for band in bands:
            reads = [gate for gate in gates if band in (gate, "shared") or gate == "shared"]
            group = {} if band == "shared" else {"task": band}
            blocks += [replace(Block(name, "sharing", "expert", f"{band[0].upper()}{i + 1}", "", (32,), 900,
                                     tuple(Flow(f"sharing.level.{k}.gate.{gate}", 32) for gate in reads)), **group)
                       for i, name in enumerate(names[k][band])]
        for gate in gates:
            to = names[k + 1][gate] if k < levels - 1 else [f"towers.{gate}"]
            blocks.append(Block(f"sharing.level.{k}.gate.{gate}", "sharing", "gate", f"gate {gate}", "", (2 * each,), 100,
                                tuple(Flow(name, 32) for name in to), task="" if gate == "shared" else gate))
    blocks += [Block(f"towers.{t}", "towers", "tower", f"Tower {t}", "", (32, 1), 545, (Flow(f"losses.{t}", 1),), task=t)
               for t in tasks]
    return placed((*blocks, *heads(tasks)), tasks)


def logistic() -> tuple[Block, ...]:
    """Logistic regression: one-hot features, a linear part, a bare sum."""
    linear = Block("interaction.0", "interaction", "linear", "linear", "first order", (900, 1), 900,
                   (Flow("towers.click", 1),))
    bare = Block("towers.click", "towers", "tower", "Σ", "no deep part", (1,), 1, (Flow("losses.click", 1),), task="click")
    return (*features(9, ["interaction.0"], 1), linear, bare, *heads(["click"]))


MODELS = {
    "mmoe": mmoe(), "mmoe, 8 experts": mmoe(8), "mmoe, 12 experts": mmoe(12), "mmoe, 40 experts": mmoe(40),
    "mmoe, 8 tasks": mmoe(tasks=tuple(f"a task named {i}" for i in range(8))), "mmoe, 60 features": mmoe(inputs=60),
    "mmoe, 2 tasks": mmoe(tasks=("a", "b"), bias=False), "deep experts": mmoe(widths=(1024, 512, 256, 128, 64)),
    "din": din(), "two histories": din(2), "three histories": din(3), "short history": din(length=2),
    "dcn": dcn(), "dcn, 4 layers": dcn(4), "crosses only": dcn(1, wide=False),
    "many layers": (*features(5, ["concatenation"]), *deep((1024, 512, 256, 128, 64, 32, 1))),
    "ple": ple(), "ple, 3 levels": ple(levels=3), "ple, 4 tasks": ple(("a", "b", "c", "d")), "ple, 3 each": ple(each=3),
    "logistic regression": logistic()}
"""Every shape of model that the layout must bear."""


def walk(tree: Tree, x: float = 0.0, y: float = 0.0) -> Iterator[tuple[Tree, float, float]]:
    """Every element with the offset of the groups around it (translations only)."""
    moved = str(tree[1].get("transform", ""))
    if tree[0] == "g" and moved.startswith("translate("):
        dx, dy = moved[len("translate("):-1].split()
        x, y = x + float(dx), y + float(dy)
    yield tree, x, y
    for child in tree[2] if isinstance(tree[2], list) else ():
        yield from walk(child, x, y)
