"""File: the classes put together: head, imports, batch, layers in their order, the model, random rows, a short training.

More than 250 lines, because the file is put together here from its first line to its last.
"""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

import torch
from torch import nn

from rankzoo.blueprint import Place
from rankzoo.errors import ZooError, listed
from rankzoo.export.pytorch import plain, toy
from rankzoo.export.pytorch.fold import Names, Text
from rankzoo.export.pytorch.init import Init
from rankzoo.export.pytorch.layers import Layer, layers_of, read_later, story
from rankzoo.export.pytorch.merge import direct, merged
from rankzoo.export.pytorch.met import Klass, definer, method, parameters
from rankzoo.export.pytorch.source import Line, laid, source_of
from rankzoo.export.pytorch.world import World, networks
from rankzoo.export.pytorch.writing import literal
from rankzoo.model import RankingModel
from rankzoo.schema import Schema
from rankzoo.shape import Shape


class File:
    """The file as it is put together."""

    def __init__(self, model: RankingModel, title: str, about: str, name: str, combine: str = "sum"):
        self.model, self.layers, self.combine = model, layers_of(model), combine
        self.schema, self.tasks = model.schema, model.blueprint.tasks
        self.name = re.sub(r"[^\w. -]", "_", name)
        everything = nn.ModuleList(layer.module for layer in self.layers)
        batch = {"seen": (True), "catalogue": True} if self.schema.catalogue else {"seen": None, "catalogue": None}
        self.taught = model.towers.teaches
        known = {name: value for name, value in batch.items() if value is None or name == "seen"}
        world = World(everything, self.tasks, known, self.taught)
        self.world = world
        ids, numbers = plain.ids_of(self.schema), plain.numbers_of(self.schema)
        if len(ids) > 3:
            world.short[ids] = "IDS"
        if len(numbers) > 3:
            world.short[numbers] = "NUMBERS"
        if len(ids) > 3 and len(numbers) > 3:
            world.short[ids + numbers] = "FIELDS"
        self.kinds = {layer.place.address: type(layer.module) for layer in self.layers}
        names = world.settle(self.written)
        self.text = "\n".join(self.assembled(names, title, about)).rstrip() + "\n"

    def written(self) -> dict[str, str]:
        """Writes every class; returns by address how a layer is made."""
        return {layer.place.address: self.attempted(layer) for layer in self.layers}

    def attempted(self, layer: Layer) -> str:
        """How a layer is made; raises a ZooError that names its slot and kind where its source cannot be followed."""
        try:
            return self.made(layer)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError) as error:
            raise ZooError("The {slot} of kind '{kind}' cannot be written as code with these settings.",
                           "Choose another component there to take code away.", at=layer.place.address,
                           slot=layer.place.address.split(".")[0], kind=layer.place.spec.kind) from error

    def made(self, layer: Layer) -> str:
        spec, shape = layer.place.spec, layer.place.shape
        signal = {"fields": Names(tuple(shape.fields)), "head": Names(tuple(shape.head)), "joins": Names(tuple(shape.joins)),
                  "logits": Names(self.tasks if shape.logits else ())}
        if layer.twin is plain.PlainOneHot:
            args = {}
        elif layer.twin is plain.PlainLinear:
            args = {"spec": spec, "shape": shape}
        elif layer.twin is not None:
            args = {"spec": spec, "shape": shape, "read": tuple(sorted(read_later(self.model)))}
        else:
            args = self.arguments(layer)
        cls = layer.twin or type(layer.module)
        if layer.place.address == "losses" and self.serves():
            self.world.want(cls, "served")
        if layer.place.address == "towers" and self.taught:
            self.world.want(cls, "taught")
        if layer.place.address == "representation":
            signal = {}
        return self.world.special(cls, args, layer.module, signal, story(layer)) + "()"

    def serves(self) -> bool:
        """Whether what is served of a task is another number than its logit."""
        some = torch.tensor([0.5])
        return any(not torch.equal(self.model.losses.served(task, some), some) for task in self.tasks)

    def arguments(self, layer: Layer) -> dict[str, object]:
        """What a component's `build` hands to its layer."""
        spec, shape = layer.place.spec, layer.place.shape
        cls = definer(type(spec), "build")
        node = method(cls, "build")
        klass = Klass(type(spec), (), {"signal": ()})
        known = {"self": (spec,), "shape": (shape,)}
        writer = Init(self.world, source_of(cls.__module__), known, klass, cls)
        call = node.body[-1].value
        init = definer(type(layer.module), "__init__")
        if init is None:
            return {}
        names = [arg.arg for arg in parameters(method(init, "__init__"))]
        found = {}
        for name, arg in zip(names, call.args, strict=True):
            known, value = writer.scope.one(arg)
            found[name] = value if known else Text(writer.text(arg))
        return found

    # ---- the file, from its head to its end

    def assembled(self, made: Mapping[str, str], title: str, about: str) -> Iterator[str]:
        world = self.world
        before = set(world.pieces)
        helpers = networks(world)
        made = merged(world.pieces, self.simplified(dict(made)))
        helpers = [*(world.pieces.pop(name) for name in [*world.pieces] if name not in before), *helpers]
        body = [line for lines in (*helpers, *self.ordered(), self.model_class(made, title)) for line in ("", "", *lines)]
        members = world.members["batch"] | {"features"}
        code = "\n".join(body)
        items = "catalogue" in members or ".catalogue" in code
        constants = self.constants(code)
        numbers = plain.numbers_of(self.schema) if any(each.startswith("NUMBERS") for each in constants) else ()
        code += "\n".join(constants)
        loop = toy.toy_batch(self.schema, [self.schema.task(t) for t in self.tasks], members, code, items, numbers)
        head = ["", "", *toy.batch_class(members | ({"catalogue"} if items else set()))]
        if "Sequence(" in code or "signal.sequences" in code or "sequences=" in code:
            head += ["", "", *toy.SEQUENCE, *(toy.PLACES if "].at(" in code else ())]
            world.imported("typing", "NamedTuple")
        head += ["", "", *toy.signal_class(world.members["signal"])]
        world.imported("dataclasses", "dataclass")
        world.imported("dataclasses", "field")
        world.imported("torch", "Tensor")
        world.modules |= {"torch", "nn", "sys"}
        for name, said in world.constants.items():
            constants += [said] if re.search(rf"\b{name}\b", code) else []
        rest = ["", "", *loop, "", "", *self.training()]
        whole = "\n".join([*constants, *head, *body, *rest])
        yield from self.head(title, about)
        yield from self.imported(whole)
        yield ""
        yield from constants
        yield from head
        yield from body
        yield from rest

    def training(self) -> list[str]:
        """The short training."""
        sights = hasattr(self.layers[0].module, "sight")
        return toy.training(self.model.losses, sights, self.rates(), self.combine, self.tasks)

    def rates(self) -> dict[str, float]:
        """What the learning rate of a layer is multiplied by, where it is."""
        return {at: layer.rate for at, layer in self.model.named_modules()
                if any(True for _ in layer.parameters()) and getattr(layer, "rate", 1.0) != 1.0}

    def simplified(self, made: dict[str, str]) -> dict[str, str]:
        """How layers are made, without those that nobody reads or that are one expression: these stand in `steps`."""
        self.steps: dict[str, str] = {}
        idle = "branches" not in self.asked()
        for address, argument in (("concatenation", "signal"), ("sharing", "x")):
            name = made[address].removesuffix("()")
            expression = direct(self.world.pieces[name], argument)
            if idle or expression:
                self.steps[address] = "" if idle else expression
                del made[address], self.world.pieces[name]
        return made

    def asked(self) -> tuple[str, ...]:
        """What the towers read of the steps before them."""
        steps = ("forward", *(("taught",) if self.taught else ()))
        idle = [self.world.idle.get((self.kinds["towers"], step), frozenset()) for step in steps]
        return tuple(name for name in ("branches", "signal") if any(name not in each for each in idle))

    def constants(self, code: str) -> list[str]:
        """The tuples that have a name in the file, where it is used."""
        found, lines = dict((name, value) for value, name in self.world.short.items()), []
        if re.search(r"\bFIELDS\b", code):
            code += " IDS NUMBERS"
        for name in ("TASKS", "IDS", "NUMBERS"):
            if name in found and re.search(rf"\b{name}\b", code):
                lines += laid([Line(0, f"{name} = {literal(found[name])}")])
        return [*lines, *(["FIELDS = IDS + NUMBERS"] if re.search(r"\bFIELDS\b", code) else [])]

    def ordered(self) -> list[list[str]]:
        """Functions and classes, each behind what it needs when it is defined."""
        return list(self.world.pieces.values())

    def head(self, title: str, about: str) -> Iterator[str]:
        blueprint, schema = self.model.blueprint, self.schema
        count = blueprint.count(schema)
        said = (f"{title or 'A ranking model'}: PyTorch code of one blueprint, which needs nothing but torch. Made by RankZoo; "
                "MIT licence, as RankZoo's own.")
        told = [said, *about.split("\n\n"), f"{count.parameters:,} parameters, {count.embedding:,} of them in tables; "
                f"{count.flops:,} FLOPs of matrix products for a row.",
                "Inputs: an id is a whole number from a vocabulary fitted on the training rows, 0 where a value is unknown or "
                "missing; a number is standardised by mean and deviation of the training rows, 0 where it is missing"
                + ("; a history is padded at its end." if schema.histories else ".") + by_hand(schema),
                f"`python {self.name}` trains on random rows; `python {self.name} weights.pt` begins with kept weights."]
        said = [each.replace("\\", "/").replace('"', "'") for each in told if each]  # who named a task may have used either
        text = [f'"""{said[0]}', *[part for each in said[1:] for part in ("", each)]]
        lines = [line for part in text for each in re.split(r"\n(?=- )", part)
                 for line in (textwrap.wrap(each, 100, subsequent_indent="  " * each.startswith("- ")) or [""])]
        yield from [*lines, '"""']
        yield ""
        yield f"# Blueprint {blueprint.hash}"
        said = re.sub(r",(?=\")|(?<=:)(?=[\[{])", lambda found: found.group() + " ", blueprint.json())
        yield from textwrap.wrap(said, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)

    def imported(self, whole: str) -> Iterator[str]:
        """The imports of what the file names."""
        yield "from __future__ import annotations"
        yield ""
        used = lambda name: re.search(rf"(?<![\w.\"]){re.escape(name)}\b", whole) is not None  # noqa: E731
        plain_ones = sorted(name for name in self.world.modules if name not in ("F", "nn", "torch") and used(name))
        yield from (f"import {name}" for name in plain_ones)
        for module, names in sorted(self.world.imports.items()):
            kept = sorted(name for name in names if used(name))
            if module != "torch" and kept:
                yield f"from {module} import {', '.join(kept)}"
        yield ""
        yield "import torch"
        if used("F"):
            yield "import torch.nn.functional as F"
        yield "from torch import Tensor, nn"

    def model_class(self, made: Mapping[str, str], title: str) -> list[str]:
        """The seven steps in order."""
        slots = {"sequence": [], "interaction": []}
        for address, text in made.items():
            if address.split(".")[0] in slots:
                slots[address.split(".")[0]].append(text)
        lines = [Line(0, "class RankingModel(nn.Module):"), Line(1, f"{title or 'The model'}: the steps in order.", doc=True)]
        init, steps = [Line(2, "super().__init__()")], []
        shapes = {place.address: place for place in self.model.blueprint.places(self.schema)}
        for slot in ("representation", "sequence", "interaction", "concatenation", "sharing", "towers", "losses"):
            if slot in slots:
                if slots[slot]:
                    init.append(Line(2, f"self.{slot} = nn.ModuleList([{', '.join(slots[slot])}])"))
            elif slot in made:
                init.append(Line(2, f"self.{slot} = {made[slot]}"))
        for address, place in shapes.items():
            slot, _, number = address.partition(".")
            if slot in slots and len(slots[slot]) > 3:
                told = "2  histories → vectors" if slot == "sequence" else "3  fields → crosses"
                looped = [Line(2, f"for layer in self.{slot}:", f"# {told}"), Line(3, "signal = layer(signal)")]
                steps += looped if number == "0" else []
            else:
                steps += self.step(address, place)
        lines += [Line(-1, ""), Line(1, "def __init__(self):"), *init]
        lines += self.passes(steps) if self.taught else [
            Line(-1, ""), Line(1, "def forward(self, batch: Batch) -> dict[str, Tensor]:"),
            Line(2, "Rows → the logits of each task.", doc=True), *steps,
            Line(-1, ""), Line(1, "def loss(self, batch: Batch) -> dict[str, Tensor]:"),
            Line(2, "The loss of each task on rows with labels.", doc=True), Line(2, "return self.losses(self(batch), batch)")]
        if self.serves():
            lines += [Line(-1, ""), Line(1, "def serve(self, batch: Batch) -> dict[str, Tensor]:"),
                      Line(2, "What is served: of some task it is not the logit itself.", doc=True),
                      Line(2, "return {task: self.losses.served(task, logit) for task, logit in self(batch).items()}")]
        return [line if line.strip() else "" for each in lines for line in (laid([each]) if each.depth >= 0 else [""])]

    def passes(self, steps: list[Line]) -> list[Line]:
        """The forward pass, and the losses of a model whose towers teach something that nobody is served."""
        read, towers = self.asked(), steps[-1].text.removeprefix("return ")
        idle = self.world.idle.get((self.kinds["towers"], "taught"), frozenset())
        taught = ", ".join(name for name in ("branches", "signal", "batch") if name not in idle)
        kinds = {"branches": "dict[str, Tensor]", "signal": "Signal"}
        returned = kinds[read[0]] if len(read) == 1 else f"tuple[{', '.join(kinds[name] for name in read)}]"
        both = ", ".join(read)
        return [Line(-1, ""), Line(1, "def forward(self, batch: Batch) -> dict[str, Tensor]:"),
                Line(2, "Rows → the logits of each task.", doc=True), Line(2, f"{both} = self.read(batch)"), steps[-1],
                Line(-1, ""), Line(1, f"def read(self, batch: Batch) -> {returned}:"),
                Line(2, "What the towers read of rows.", doc=True), *steps[:-1], Line(2, f"return {both}"),
                Line(-1, ""), Line(1, "def loss(self, batch: Batch) -> dict[str, Tensor]:"),
                Line(2, "The loss of each task on rows with labels.", doc=True), Line(2, f"{both} = self.read(batch)"),
                Line(2, f"taught = self.towers.taught({taught})", "# what the model learns from and nobody is served"),
                Line(2, f"return self.losses({towers}, batch, taught)")]

    def step(self, address: str, place: Place) -> list[Line]:
        """One step of the forward pass."""
        slot, _, number = address.partition(".")
        shape: Shape = place.spec.after(place.shape)
        call = f"self.{slot}[{number}]" if number else f"self.{slot}"
        if slot == "representation":
            many = f"{len(shape.fields)} vectors, {shape.width} numbers in all" if shape.fields else "vectors"
            return [Line(2, f"signal = {call}(batch)", f"# 1  features → {many}")]
        if slot == "sequence":
            return [Line(2, f"signal = {call}(signal)", f"# 2  {place.spec.called()}")]
        if slot == "interaction":
            return [Line(2, f"signal = {call}(signal)", f"# 3  {place.spec.called()}")]
        if slot in ("concatenation", "sharing") and self.steps.get(slot) == "":
            return []
        if slot == "concatenation":
            return [Line(2, f"x = {self.steps.get(slot) or f'{call}(signal)'}", f"# 4  → (row, {shape.joined})")]
        if slot == "sharing":
            return [Line(2, f"branches = {self.steps.get(slot) or f'{call}(x)'}", f"# 5  → (row, {shape.branch}) per task")]
        if slot == "towers":
            idle = self.world.idle.get((self.kinds[address], "forward"), frozenset())
            args = ", ".join(name for name in ("branches", "signal") if name not in idle)
            return [Line(2, f"return {call}({args})", "# 6  → logits per task")]
        return []


def by_hand(schema: Schema) -> str:
    """A sentence on the ids that are differences with past items; nothing where there are none."""
    if not schema.made:
        return ""
    names = listed(dict.fromkeys(table.rpartition(".")[2] for table in schema.made))
    return (f" {names} are made by hand, anew for each candidate: by how much it exceeds a past item, in buckets, crossed with "
            "what that item is; of a row itself with the newest one.")
