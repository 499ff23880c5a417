"""CGC and PLE: the multi-task sheet, 3, on the whole models; what their diagrams connect."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.data.load import schema_of
from rankzoo.figures.layout import arrange
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.drawings import columns
from tests.support import copied, logits, random_batch, randomised
from tests.wiring import assert_wired

CGC, PROGRESSIVE = systems()["cgc"], systems()["ple"]
SCHEMA = schema_of("feed")
BATCH = random_batch(SCHEMA, 64)
TASKS = ("click", "completion", "like", "dismiss")


def blueprint_of(system, **sharing: object):
    return system.blueprint.model_copy(update={"sharing": system.blueprint.sharing.model_copy(update=sharing)})


def test_presets_are_what_their_names_say():
    """One level is CGC; what grew out of what; experts of its own and shared ones in both."""
    assert CGC.blueprint.sharing.levels == 1 and PROGRESSIVE.blueprint.sharing.levels == 2
    assert [systems()[id].grew for id in ("omoe", "cgc", "ple")] == ["shared_bottom", "mmoe", "cgc"]
    for system, word in ((CGC, "CGC"), (PROGRESSIVE, "PLE")):
        assert system.blueprint.sharing.own and system.blueprint.sharing.shared and system.short()[4] == word


def test_without_own_experts_the_whole_model_is_mmoe():
    """m_k = 0: every logit that of MMoE with E = m_s and the same weights."""
    cgc = randomised(RankingModel(blueprint_of(CGC, own=0, shared=3), SCHEMA))
    moe = MMoE(experts=3, widths=CGC.blueprint.sharing.widths)
    plain = RankingModel(CGC.blueprint.model_copy(update={"sharing": moe}), SCHEMA)
    copied(cgc, plain)
    plain.sharing.expert.load_state_dict(cgc.sharing.level[0].shared.state_dict())
    plain.sharing.gate.load_state_dict(cgc.sharing.level[0].gate.state_dict())
    ours, theirs = logits(cgc, BATCH), logits(plain, BATCH)
    for task in TASKS:
        torch.testing.assert_close(ours[task], theirs[task])


def test_without_shared_experts_the_tasks_are_models_of_their_own():
    """m_s = 0, m_k = 1: a task's logit is that of a model with this task alone, and the others' weights do not move it."""
    model = randomised(RankingModel(blueprint_of(CGC, own=1, shared=0), SCHEMA))
    before = logits(model, BATCH)
    for task in TASKS:
        schema = replace(SCHEMA, tasks=tuple(t for t in SCHEMA.tasks if t.name == task))
        alone = RankingModel(blueprint_of(CGC, own=1, shared=0).with_tasks((task,), SCHEMA), schema)
        copied(model, alone)
        torch.testing.assert_close(logits(alone, BATCH)[task], before[task])


@pytest.mark.parametrize("system, below", [(CGC, False), (PROGRESSIVE, True)], ids=["cgc", "ple"])
def test_who_hears_click(system, below):
    """From the loss: like's experts of the last level hear nothing of click; those of level 1 do in PLE, and not in CGC."""
    model = randomised(RankingModel(system.blueprint, SCHEMA)).train()
    model(BATCH).losses["click"].backward()
    heard = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    last = system.blueprint.sharing.levels - 1
    assert not any(name.startswith((f"sharing.level.{last}.own.like", f"sharing.level.{last}.gate.like")) for name in heard)
    if below:
        assert any(name.startswith("sharing.level.0.own.like") for name in heard)
    assert {f"sharing.level.{last}.gate.click.weight", f"sharing.level.{last}.shared.0.0.weight"} <= heard


@pytest.mark.parametrize("sharing", [
    PLE(levels=1), PLE(levels=2), PLE(levels=3, own=2, shared=1), PLE(levels=2, own=0, shared=2), PLE(levels=2, own=0, shared=1),
    PLE(levels=2, own=2, shared=0), PLE(levels=4, own=8, shared=8)], ids=str)
def test_the_diagram_draws_the_paths_there_are(sharing):
    """Experts flow into the gates that mix them and no others, gates into the level above; the drawing keeps its laws."""
    blueprint = PROGRESSIVE.blueprint.model_copy(update={"sharing": sharing})
    assert_wired(blueprint, SCHEMA)
    blocks = {block.address: block for block in blueprint.blocks(SCHEMA)}
    assert all(block.flows for block in blocks.values() if block.slot != "losses")
    for address, block in blocks.items():
        to = [blocks[flow.to] for flow in block.flows]
        if block.form == "expert":
            assert all(gate.task in (block.task, "") or not block.task for gate in to), address
            assert all(gate.address.split(".")[2] == address.split(".")[2] for gate in to), "gates of its own level"
        elif block.form == "gate":
            assert all(other.task == block.task for other in to), "a mixture goes to its own experts, gate and tower"
    last = f"sharing.level.{sharing.levels - 1}.shared_gate"
    assert last not in blocks and (f"{last.replace(str(sharing.levels - 1), '0', 1)}" in blocks) == bool(
        sharing.shared and sharing.levels > 1)
    layout = arrange(tuple(blocks.values()), columns(tuple(blocks.values())))
    boxes = list(layout.boxes.values())
    for i, a in enumerate(boxes):
        assert all(a.right <= b.x + 0.01 or b.right <= a.x + 0.01 or a.bottom <= b.y + 0.01 or b.bottom <= a.y + 0.01
                   for b in boxes[:i])
    assert layout.height < 900 and set(layout.order) <= {*layout.boxes, *layout.hidden}
