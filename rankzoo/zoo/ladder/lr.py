"""Logistic regression: one weight per feature value (the industry's baseline; McMahan et al., KDD 2013)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.bare import Bare
from rankzoo.facts import Source, ours, stated
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("McMahan et al.", 2013, "Ad click prediction: a view from the trenches", "KDD 2013", "10.1145/2487575.2488200")

SYSTEM = System(
    id="lr", place=1, name="Logistic regression", source=PAPER, dataset="ads",
    story="Every feature value has one weight, and the weights of an impression are added up. Simple, calibrated and easy to "
          "explain. It learns a cross of two features only where somebody made it by hand.",
    blueprint=Blueprint(representation=OneHot(), interaction=(Linear(),), towers=Bare(), tasks=("click",)),
    facts=(stated("optimiser at scale", "FTRL-Proximal, for exact zeros", PAPER, at="algorithm 1"),
           ours("optimiser here", "Adam on sparse gradients", why="one optimiser for all rungs, so that they compare")),
    adds="representation", tagline="the start",
    answers="The start: simple, scalable, readable.",
    settings=TrainSettings(epochs=5, batch_size=512, lr=3e-2, schedule="cosine", patience=0),
)
