"""Logistic regression: one weight per feature value (the industry's baseline; McMahan et al., KDD 2013)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.bare import Bare
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("McMahan et al.", 2013, "Ad click prediction: a view from the trenches", "KDD 2013", "10.1145/2487575.2488200")

LESSON = Lesson(
    problem="Somebody must say how likely a click is, a billion times a day, and be able to explain it.",
    why={
        "representation": "One-hot: every value of every feature is a switch with one weight, nothing has to be learned "
                          "before.",
        "interaction": "The weights of the values that are on are added up. A cross exists only where somebody made it a "
                       "feature of its own.",
        "concatenation": "Nothing is joined: no network reads a long vector, each value adds its weight to the logit.",
        "losses": "Cross entropy: its gradient is simply prediction minus label.",
    },
    misreadings={
        "A bias belongs to every field.": "One for the model is enough: the fields' biases could not be told apart.",
        "Logistic regression cannot model crosses.":
            "It can, those that were made by hand, one weight for each pair of values.",
    },
    questions=(
        Question("How many parameters does the model own?",
                 "One weight for each value of each field, one for each number, and a constant.", "interaction",
                 number="parameters", slip="Multiplying with an embedding size: there are no vectors.",
                 follow="And if two of its fields of a thousand values were crossed?", then="A million weights on top."),
        Question("What does it memorise, and what can it not say?",
                 "It memorises values, and crosses that somebody made. Of a pair that was never seen it knows "
                 "nothing.", "interaction",
                 slip="It generalises through its features' names.", follow="Why is it still in use?",
                 then="It is fast, calibrated, and every weight can be read."),
        Question("At scale most weights are never needed. How does training get rid of them?",
                 "By an optimiser with L1 (FTRL-Proximal) that leaves weights at exactly zero: those need no memory when "
                 "serving.", "losses",
                 slip="By cutting small weights off afterwards.", follow="Why not plain gradient descent with L1?",
                 then="Its weights hover around zero and hardly ever are zero.", facts=("optimiser at scale",)),
        Question("Why is cross entropy convenient here?",
                 "The gradient is prediction minus label: it does not vanish where the model is confidently wrong.", "losses",
                 slip="Because it is the same as squared error.", follow="Why not squared error on the probability?",
                 then="Behind a sigmoid its gradient vanishes where it is needed most."),
    ),
)

SYSTEM = System(
    id="lr", place=1, name="Logistic regression", source=PAPER, dataset="ads",
    lesson=LESSON,
    story="Every feature value has one weight, and the weights of an impression are added up. Simple, calibrated and easy to "
          "explain. It learns a cross of two features only where somebody made it by hand.",
    blueprint=Blueprint(representation=OneHot(), interaction=(Linear(),), towers=Bare(), tasks=("click",)),
    facts=(stated("optimiser at scale", "FTRL-Proximal, for exact zeros", PAPER, at="algorithm 1"),
           ours("optimiser here", "Adam on sparse gradients", why="one optimiser for all rungs, so that they compare")),
    adds="representation", tagline="the start",
    answers="The start: simple, scalable, readable.",
    settings=TrainSettings(epochs=5, batch_size=512, lr=3e-2, schedule="cosine", patience=0),
)
