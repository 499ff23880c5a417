"""Gaps: what is made by hand of a row and each of its past items, anew for every candidate (Gong et al., CIKM 2022, section 4).

Δ_j = own − past_j: of a prediction, of the time, of the position. An id is the bucket of Δ_j crossed with what the past item is:
b · n_1 · n_2 + c_1 · n_2 + c_2, from 1. Whoever changes what a row says of itself or of its past calls `refilled`, so that a
search sees what a training saw.
"""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rankzoo.schema import Amount, Gap, History
from rankzoo.signals import Batch


def refilled(batch: Batch) -> Batch:
    """The same rows, with all fields that are made by hand as the others say, and the features that share their tables."""
    schema = batch.schema
    if not schema.made:
        return batch
    ids, histories = batch.ids.clone(), dict(batch.histories)
    columns = {f.name: i for i, f in enumerate(schema.categorical)}
    for table, (name, place) in schema.made.items():
        history = schema.history(name)
        found = gap_ids(batch, history, history.fields[place].gap)
        if histories[name] is batch.histories[name]:
            histories[name] = histories[name].clone()
        histories[name][:, :, place] = found
        if table in columns:
            ids[:, columns[table]] = found[torch.arange(len(found)), batch.masks[name].int().argmax(dim=1)]
    return replace(batch, ids=ids, histories=histories)


def gap_ids(batch: Batch, history: History, gap: Gap) -> Tensor:
    """(row, position) ids; 0 where no item stands and where a part of it is unknown."""
    values, mask = batch.histories[history.name], batch.masks[history.name]
    column = {f.name: i for i, f in enumerate(history.fields)}
    past = values[:, :, column[gap.past.of]]
    known, amount = mask & (past > 0), amounts(gap.past, past)
    amount = (amount * known).cumsum(dim=1) if gap.past.running else amount
    own = 0.0 if gap.own is None else of_row(batch, gap.own).unsqueeze(1)
    ids = torch.bucketize(own - amount, torch.tensor(gap.edges), right=True)
    for name in gap.by:
        part = values[:, :, column[name]]
        known, ids = known & (part > 0), ids * (history.fields[column[name]].vocabulary - 1) + part - 1
    return (ids + 1) * known


def of_row(batch: Batch, own: Amount) -> Tensor:
    """(row,) a row's own amount: of a feature, or added up over a history."""
    name, _, field = own.of.partition(".")
    if not field:
        return amounts(own, batch.features[name])
    place = [f.name for f in batch.schema.history(name).fields].index(field)
    return (amounts(own, batch.histories[name][:, :, place]) * batch.masks[name]).sum(dim=1)


def amounts(told: Amount, ids: Tensor) -> Tensor:
    """What ids stand for, 0 of an unknown one."""
    return torch.tensor((0.0, *told.each))[ids]
