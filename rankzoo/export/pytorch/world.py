"""World: the classes of the file, each written for the model at hand."""
from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from rankzoo.components.mlp import Dice, PRelu
from rankzoo.export.pytorch.fold import Names, Scope, Text, Values
from rankzoo.export.pytorch.init import Init
from rankzoo.export.pytorch.met import Klass, definer, method, parameters
from rankzoo.export.pytorch.named import Named
from rankzoo.export.pytorch.rewrite import Rewriter
from rankzoo.export.pytorch.source import Line, laid, source_of
from rankzoo.export.pytorch.tidy import loads, parsed, tidied
from rankzoo.export.pytorch.writing import cleaned, facts, without

LAYERS = {"relu": "nn.ReLU()", "prelu": "PRelu(width)", "dice": "Dice(width)", "sigmoid": "nn.Sigmoid()", "tanh": "nn.Tanh()",
          "none": "nn.Identity()"}


DICE_MLP = [
    "class DiceMlp(nn.Sequential):",
    '    """Layers, of which Dice is told which positions count for its statistics: padding must not."""', "",
    "    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:", "        for layer in self:",
    "            x = layer(x, seen) if isinstance(layer, Dice) else layer(x)", "        return x"]


class World(Named):
    """All that one file holds beside its model class: `pieces` in an order that Python can read."""

    def leaf(self, cls: type) -> str:
        """A class whose arguments are plain: one for all sizes."""
        if cls in self.written:
            return self.written[cls]
        name = self.written[cls] = self._free(cls.__name__)
        instances = tuple(module for module in self.model.modules() if type(module) is cls)
        kept, known = self.signature(cls)
        klass = Klass(cls, instances, {})
        init = definer(cls, "__init__")
        lines: list[Line] = []
        if init is not None:
            node = method(init, "__init__")
            writer = Init(self, source_of(init.__module__), known | {"self": instances}, klass, init, frozenset(kept))
            lines = writer.block(node.body, 2)
            said = {arg.arg: f": {writer.annotation(arg.annotation)}" if arg.annotation else "" for arg in parameters(node)}
            head = f"def __init__(self{''.join(f', {each}{said[each]}' for each in kept)}):"
            lines = [Line(1, head), *lines]
        gone = frozenset(known) - frozenset(kept)
        self.classes[name] = self.pieces[name] = self.body(klass, name, lines, without(cleaned(cls.__doc__ or ""), gone))
        if lines:
            left = [line for line in lines[1:] if self.stays(klass, line)]
            read = set(loads(parsed(lines[0].text, tidied(lines[0].text, left))))
            self.idle[cls] = frozenset(each for each in [*kept, *self.idle_before.get(cls, ())] if each not in read)
        return name

    def signature(self, cls: type) -> tuple[list[str], dict[str, Values | None]]:
        """The arguments of a leaf that are left, and what is known of all; a switch that stands one way is written in."""
        init = definer(cls, "__init__")
        if init is None:
            return [], {}
        node = method(init, "__init__")
        names = [arg.arg for arg in parameters(node)]
        defaults = inspect.signature(init.__init__).parameters
        known = self.known_of(cls, names) if cls in self.before else dict.fromkeys(names)
        kept, found = [], {}
        for name in names:
            values = found[name] = known[name]
            switch = values is not None and len(values) == 1 and (
                isinstance(values[0], bool | str | float | type(None)) or values[0] == defaults[name].default)
            kept += [] if switch or name in self.idle_before.get(cls, ()) else [name]
        return kept, found

    def special(self, cls: type, args: Mapping[str, Any], instance: nn.Module, signal: Mapping[str, Names], doc: str = "") -> str:
        """A class for one layer, with its sizes written in."""
        klass = Klass(cls, (instance,), facts(self.tasks, dict(signal), dict(self.batch), self.taught))
        init = definer(cls, "__init__")
        lines: list[Line] = []
        if init is not None:
            known = {name: value if isinstance(value, Text) else (value,) for name, value in args.items()}
            writer = Init(self, source_of(init.__module__), known | {"self": (instance,)}, klass, init)
            lines = [Line(1, "def __init__(self):"), *writer.block(method(init, "__init__").body, 2)]
        base = cls.__name__.removesuffix("Layer").removeprefix("Plain")
        said = "\n\n".join(each for each in (cleaned(doc), cleaned(cls.__doc__ or "")) if each)
        body = self.body(klass, "", lines, said)
        for name, other in self.classes.items():
            if other[1:] == body[1:] and name.rstrip("0123456789") == base:
                return name
        name = self._free(base)
        body[0] = body[0].replace("class (", f"class {name}(")
        self.classes[name] = self.pieces[name] = body
        return name

    def body(self, klass: Klass, name: str, init: list[Line], doc: str) -> list[str]:
        """A class as text: its docstring, its `__init__` with what is read, its methods as they are ordered in the source."""
        torch_base = next(base for base in klass.cls.__mro__ if base.__module__.startswith("torch."))
        self.modules.add("nn")
        klass.need("forward")
        klass.need("sight")  # a table whose ids come and go: called before each step
        for each in sorted(self.wanted_before.get(klass.cls, ())):
            self.read(klass, each)
        for base in klass.cls.__mro__:
            for each in vars(base) if base.__module__.startswith("rankzoo.") else ():
                if each not in ("__init__", "__module__", "__doc__") and callable(vars(base)[each]) and (
                        each.startswith("__") or hasattr(torch_base, each)):
                    klass.need(each)
        done: dict[str, list[Line]] = {}
        while left := [each for each in klass.needed if each not in done]:
            done[left[0]] = self.method(klass, left[0])
        order = {(cls, node.name): (-i, node.lineno) for i, cls in enumerate(klass.cls.__mro__)
                 if cls.__module__.startswith("rankzoo.") for node in source_of(cls.__module__).top(cls.__name__).body
                 if isinstance(node, ast.FunctionDef)}
        names = sorted(done, key=lambda each: (each != "forward", order[klass.needed[each]]))
        init = [line for line in init if line.depth < 2 or self.stays(klass, line)]
        head = f"class {name}(nn.{torch_base.__name__}):"
        text = laid([Line(0, head), *([Line(1, doc, doc=True)] if doc else [])])
        if any(line.text != "super().__init__()" for line in init[1:]):
            text += ["", *laid(tidied_init(init))]
        for each in names:
            text += ["", *laid(done[each])]
        return text

    def stays(self, klass: Klass, line: Line) -> bool:
        """Whether an assignment in `__init__` is of use: a layer with parameters, or an attribute that is read."""
        if not line.text.startswith("self.") or " = " not in line.text:
            return True
        if "," in (names := line.text.split(" = ")[0]):
            return any(name.strip().removeprefix("self.") in klass.reads for name in names.split(","))
        name = names.removeprefix("self.").split(":")[0]
        held = [getattr(instance, name, None) for instance in klass.instances]
        if any(isinstance(each, nn.Module) and any(True for _ in each.parameters()) or isinstance(each, nn.Parameter)
               for each in held):
            return True
        by_name = "get_submodule" in klass.reads and any(isinstance(each, nn.Module) for each in held)
        return by_name or name in klass.reads

    def method(self, klass: Klass, written: str, found: tuple[type, str] | None = None) -> list[Line]:
        """One method of a class, for its instances."""
        if written in klass.lines:
            return klass.lines[written]
        cls, name = found or klass.needed[written]
        source, node = source_of(cls.__module__), method(cls, name)
        names = [arg.arg for arg in parameters(node)]
        open_ended = written == "forward" and not klass.known and (
            klass.cls in self.mixed_before or (klass.cls, written) not in self.sites_before)
        known: dict[str, Any] = dict.fromkeys(names) | ({} if open_ended else self.known_of((klass.cls, written), names))
        known["self"] = klass.instances or None
        known |= {n: v for n, v in (klass.known or facts(self.tasks, {}, dict(self.batch), self.taught)).items()
                  if n in names and (n != "signal" or klass.known)}
        rewriter = Rewriter(self, source, Scope(source.module, known), klass, cls)
        head = self.head(rewriter, node, written)
        body = tidied(head, rewriter.function(node, 2))
        above = [Line(1, f"@{source.of(each)}") for each in node.decorator_list]
        if not open_ended:
            head = self.used((klass.cls, written), head, body, node, rewriter, written)
        klass.lines[written] = [*above, Line(1, head), *body]
        return klass.lines[written]


def tidied_init(lines: list[Line]) -> list[Line]:
    """`__init__` without locals that nobody reads."""
    return [lines[0], *tidied(lines[0].text, lines[1:])]


def networks(world: World) -> list[list[str]]:
    """The helpers that make MLPs, one for each activation of the model, and the activations that torch has not."""
    found = []
    if "dice" in world.mlps:
        world.modules.add("nn")
        found.append(DICE_MLP)
    for act, drops in world.mlps.items():
        name = "mlp" if act == "relu" else f"{act}_mlp" if act != "none" else "linear_mlp"
        if act in ("prelu", "dice"):
            world.leaf(PRelu if act == "prelu" else Dice)
        kind = "DiceMlp" if act == "dice" else "nn.Sequential"
        word = {"relu": "a ReLU", "prelu": "a PReLU", "dice": "Dice", "sigmoid": "a sigmoid", "tanh": "a tanh"}.get(act, "")
        said = f"Linear layers with {word} after each" if word else "Linear layers without an activation"
        said += ", and dropout after that" if drops else ""
        lines = [f"def {name}(inputs: int, *widths: int{', dropout: float = 0.0' if drops else ''}) -> {kind}:",
                 f'    """{said}: (…, inputs) → (…, last width)."""',
                 "    layers: list[nn.Module] = []", "    for width in widths:",
                 f"        layers += [nn.Linear(inputs, width), {LAYERS[act]}]"]
        lines += ["        layers += [nn.Dropout(dropout)] if dropout else []"] if drops else []
        lines += ["        inputs = width", f"    return {kind}(*layers)"]
        found.append(lines)
    return found
