"""What stands around the nodes: column heads, unused columns with their ⊕, bands of experts, x₀ above the crosses, notes."""
from __future__ import annotations

from rankzoo.figures.diagram import weights
from rankzoo.figures.diagram.state import State
from rankzoo.figures.layout.collapse import X0
from rankzoo.figures.layout.types import SHARED, Box, Column
from rankzoo.figures.tree import Tree, button, circle, el, fit, g, path, rect, relate, text, width_of

LINE = 17.0
"""Room that a line of small words needs."""
INSET = 4.0
"""How far a ring stands from the words inside it."""
RISE = 8.0
"""How far above a cross layer, and before the first of them, x₀ passes."""


def heads(state: State) -> list[Tree]:
    """Head of every used column: a line in the family's colour, number and title, one grey line. A button where the column draws
    no part that could be picked, and where it is selected itself, since the part that was is gone."""
    found = []
    columns = state.layout.columns
    drawn = {block.slot for block in state.layout.blocks.values()}
    for i, column in enumerate(columns):
        if not column.used:
            continue
        span = state.layout.spans[column.slot]
        following = [state.layout.spans[c.slot].x for c in columns[i + 1:]]
        room = (following[0] - 6 if following else state.layout.width) - span.x
        number = str(column.number)
        sentence = f"{column.title}. {column.detail}".strip()
        pressed = state.pressed(column.slot) and column.slot not in state.layout.blocks
        left = INSET if pressed else 0.0
        title, detail = fit(column.title, room - 14 - 2 * left, 13), in_short(column.detail, room - 2 * left)
        second = left + width_of(number, 13) + 6
        inside = [rect(0, 0, span.w, 3, "mark", 1.5), text(left, 21, number, "t2", size=13),
                  text(second, 21, title, "t1 bold", size=13), text(left, 38, detail, "t2")]
        if pressed or column.slot not in drawn:
            wide = max(span.w, second + width_of(title, 13) + left, left + width_of(detail) + left)
            ring = (-2, -2, wide + 4, 46, 7)
            inside = [rect(*ring[:4], "hit", ring[4]), *inside]
            found.append(button(column.slot, sentence, inside, f"family-{column.number}", span.x, 0, pressed, ring=ring))
        else:
            found.append(el("g", {"class": f"family-{column.number}", "transform": f"translate({span.x:.2f} 0)",
                                  "data-key": f"head.{column.slot}"}, el("title", {}, sentence), *inside))
    return found


def in_short(words: str, room: float) -> str:
    """What a column holds, in full or as «LSTM + Pooling +3»: the first components that there is room for."""
    parts = words.split(" + ")
    for kept in range(len(parts), 0, -1):
        said = " + ".join(parts[:kept]) + (f" +{len(parts) - kept}" if kept < len(parts) else "")
        if width_of(said) <= room:
            return said
    return fit(words, room)


def unused(state: State) -> list[Tree]:
    """Thin dashed columns of the slots that this model leaves empty; a click offers to use them."""
    return [_unused(column, state.layout.spans[column.slot], state) for column in state.layout.columns if not column.used]


def _unused(column: Column, span: Box, state: State) -> Tree:
    x = span.w / 2
    sentence = state.say("{component} is off in this model. Press to see what it would add.").format(component=column.title)
    plus = g([circle(x, 41, 9, "badge"), path(f"M{x - 4} 41h8M{x} 37v8", "sign")], "control")
    name = el("text", {"x": 0, "y": 0, "class": "t2 small halo", "transform": f"translate({x - 4:.2f} 60) rotate(90)"},
              state.say("{component} · off").format(component=column.title))
    inside = [rect(0.5, 0.5, span.w - 1, span.h - 1, "off", 5), text(x, 21, str(column.number), "t2", "middle", 13),
              plus, name]
    return button(column.slot, sentence, inside, f"family-{column.number} column", span.x, 0, state.selected == column.slot,
                  ring=(-2, -2, span.w + 4, span.h + 4, 7))


def bands(state: State) -> list[Tree]:
    """Grey bands behind own and shared experts."""
    return [el("g", {"data-key": f"band.{name}"}, rect(box.x, box.y, box.w, box.h, "band", 6))
            for name, box in state.layout.bands]


def band_names(state: State) -> list[Tree]:
    """Whose experts a band holds, below them where there is room, else at its lower right, and the number of each level above the
    first band."""
    layout = state.layout
    found = []
    experts = [a for a, b in layout.blocks.items() if b.form == "expert"]
    for name, box in layout.bands:
        said = state.say("shared") if name == SHARED else state.say("only {task}").format(task=name)
        inside = [layout.boxes[a] for a in experts if box.y <= layout.boxes[a].y and layout.boxes[a].bottom <= box.bottom]
        first = min(inside, key=lambda each: each.x, default=box)
        if inside and max(each.bottom for each in inside) + LINE <= box.bottom:
            found.append(text(first.x, box.bottom - 3.5, fit(said, first.w), "t2"))
            continue
        room = box.right - 8 - max((layout.boxes[a].right for a in experts), default=box.x)
        said = said if width_of(said) <= room or name == SHARED else name  # whose they are goes before that no other reads them
        found.append(text(box.right - 8, box.bottom - 7, fit(said, room), "t2 halo", "end"))
    lefts = sorted({layout.boxes[a].x for a in experts})
    if layout.bands and len(lefts) > 1:
        top = min(box.y for _, box in layout.bands) - 5
        found += [text(left, top, state.say("level {n}").format(n=i), "t2") for i, left in enumerate(lefts, 1)]
    return found


def crossing(state: State) -> list[Tree]:
    """x₀ enters the layers of a network of crosses again: a dashed line over each network, from the bar of all fields or, where
    there is none, from what comes to its first layer."""
    networks: dict[str, list[str]] = {}
    for address, block in state.layout.blocks.items():
        if block.form == "cross":
            networks.setdefault(address.rpartition(".")[0], []).append(address)
    return [_again(name, layers, state) for name, layers in networks.items()
            if any(state.layout.blocks[address].again for address in layers)]


def _again(name: str, layers: list[str], state: State) -> Tree:
    """The line over the layers of one network, just above each: nothing else stands there."""
    layout = state.layout
    boxes = [layout.boxes[address] for address in layers]
    first, level = boxes[0], boxes[0].y - RISE
    joined = any((link.source, link.target) == (X0, layers[0]) for link in layout.links)
    if joined:
        bar = layout.boxes[X0]
        d = f"M{bar.right:.1f} {level:.1f}" if bar.y < level < bar.bottom else f"M{bar.cx:.1f} {bar.y:.1f}V{level:.1f}"
    else:
        d = f"M{first.x - RISE:.1f} {first.cy:.1f}V{level:.1f}"
    for address, box in zip(layers, boxes, strict=True):
        d += f"H{box.x - RISE:.1f}V{box.y - RISE:.1f}" if box.y - RISE != level else ""
        d += f"H{box.cx:.1f}" + (f"V{box.y:.1f}M{box.cx:.1f} {box.y - RISE:.1f}" if layout.blocks[address].again else "")
        level = box.y - RISE
    named = [] if joined else [text(first.x - RISE - 4, first.y - RISE + 4, "x₀", "t2 halo", "end")]
    more = {"data-key": f"{name}.again", "data-rel": relate([X0] * joined + layers)}
    return g([path(d.rpartition("M")[0], "thread strong"), *named], "edge family-3", more=more)


def _rule(state: State, room: float) -> str:
    """Which experts a task reads where some belong to one task, in as many words as there is room for. Without a gate they are no
    experts, but each task's part of what all share."""
    gates = [block for block in state.layout.blocks.values() if block.form == "gate"]
    if not gates:
        return fit(state.say("A task reads its own part only."), room)
    if not any(name == SHARED for name, _ in state.layout.bands):
        return fit(state.say("A task reads its own experts only."), room)
    short = state.say("A task reads its own experts and the shared ones.")
    if any(not block.task for block in gates):
        full = state.say("A task reads its own experts and the shared ones; only the shared gate reads all.")
        return full if width_of(full) <= room else fit(short, room)
    return fit(short, room)


def notes(state: State) -> list[Tree]:
    """Below the frame: what italics mean, whose experts a task reads, and what becomes of a bias tower when serving."""
    layout = state.layout
    found = []
    if layout.bands:
        left = layout.bands[0][1].x
        found.append(text(left, layout.height - 7, _rule(state, layout.width - left - (200 if state.assumed else 0)), "t2"))
    if state.assumed:
        found.append(text(layout.width, layout.height - 7, state.say("italic: size assumed by RankZoo"), "t2 italic", "end"))
    if said := "" if layout.bands else weights.note(state):
        found.append(text(0, layout.height - 7, fit(said, layout.width - (200 if state.assumed else 0)), "t2"))
    towers = [a for a, b in layout.blocks.items() if b.form == "bias_tower"]
    touched = [e.target for e in layout.edges if e.kind == "side" and e.source in towers]
    if touched:
        box = layout.boxes[towers[-1]]
        names = dict.fromkeys(layout.blocks[a].title for a in touched)
        room = min(layout.boxes[a].x for a in touched) - 28 - box.right - 12
        served = layout.blocks[towers[-1]].detail
        full = state.say("added to {tasks}; {served}").format(tasks=", ".join(names), served=served)
        said = full if width_of(full) <= room else fit(served, room)
        found.append(text(box.right + 12, box.cy + 16, said, "t2"))
    for address, block in ((a, b) for a, b in layout.blocks.items() if b.form == "adversary"):
        box = layout.boxes[address]
        words = state.say("guesses {name}; its gradient is negated; not there when serving").format(name=block.words[0])
        said = fit(words, layout.width - box.right - 24)
        found.append(text(box.right + 12, box.cy + 16, said, "t2"))
    return found

