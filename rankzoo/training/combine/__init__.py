"""Combining: how the losses of several tasks become the gradients of one step. One file per method; the order is the menu's."""
from __future__ import annotations

from rankzoo.model import RankingModel
from rankzoo.training.combine.alternate import Alternate
from rankzoo.training.combine.base import Combiner, weighted_sum
from rankzoo.training.combine.dwa import DynamicWeightAverage
from rankzoo.training.combine.gradnorm import GradNorm
from rankzoo.training.combine.mtrec import MTRec, MTRecMutual
from rankzoo.training.combine.pcgrad import PCGrad
from rankzoo.training.combine.sum import Sum
from rankzoo.training.combine.uncertainty import Uncertainty

METHODS: dict[str, type[Combiner]] = {
    "sum": Sum, "alternate": Alternate, "uncertainty": Uncertainty, "gradnorm": GradNorm, "dwa": DynamicWeightAverage,
    "pcgrad": PCGrad, "mtrec_aux_only": MTRec, "mtrec_mutual": MTRecMutual}
__all__ = ["METHODS", "Combiner", "combiner", "weighted_sum"]


def combiner(method: str, model: RankingModel) -> Combiner:
    """The combiner of that name for a model; with fewer than two tasks to combine every method is the sum."""
    plain = Sum(model)
    return METHODS[method](model) if len(plain.tasks) > 1 else plain
