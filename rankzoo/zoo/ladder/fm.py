"""FM: every pair of fields crosses by the dot product of two learned vectors (Rendle, 2010)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.facts import Source, known, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Rendle", 2010, "Factorization machines", "ICDM 2010", "10.1109/ICDM.2010.127")
DEEPFM = Source("Guo et al.", 2017, "DeepFM: a factorization-machine based neural network for CTR prediction", "IJCAI 2017",
                "10.24963/ijcai.2017/239")

LESSON = Lesson(
    problem="A cross made by hand needs rows of exactly that pair; most pairs of a sparse table are seen seldom or never.",
    why={
        "interaction": "Every value owns a vector, and the inner product of two vectors is the weight of their pair: a pair "
                       "never seen gets one from pairs that were.",
        "concatenation": "Nothing is joined: vectors meet in products of two, never side by side.",
        "towers": "None: the sums of weights and products are the logit.",
    },
    measured=("AUC on Criteo", "work for all pairs"),
    misreadings={
        "All pairs cost n² products.": "The square of the sum minus the sum of squares takes one pass.",
        "FM models any order.": "Pairs only.",
        "A field of several values needs no care.": "Pooled before, its pairs with itself are lost.",
    },
    questions=(
        Question("How many pairs of fields does it cross?",
                 "n · (n − 1) / 2: each pair once, none with itself.", "interaction",
                 number="pairs", slip="n².", follow="How does it avoid computing each?", then="½ (‖Σv‖² − Σ‖v‖²).",
                 facts=("work for all pairs",)),
        Question("Why does it generalise to pairs that it never saw?",
                 "The weight of a pair comes from two vectors, and each was learned from other pairs.", "interaction",
                 slip="Because it has a deep network.", follow="When is that wrong?",
                 then="Where a pair is an exception that low rank cannot express."),
        Question("You double the embedding size. How many parameters does the model gain?",
                 "As many again as the vectors have; first-order weights and constant stay.", "representation",
                 number="gain", of="representation.dim", slip="Twice the whole model.", follow="Which sizes must fields have?",
                 then="All the same, or their inner product does not exist."),
    ),
)

SYSTEM = System(
    id="fm", place=4, name="FM", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="Every feature value owns a short vector, and each pair of fields adds the dot product of its two vectors to the "
          "logit. What is learned of one pair serves all pairs that share a value, also those that never occurred together.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, numeric="vector"),
        interaction=(Linear(), FM()), concatenation=Join(fields=()), towers=Bare(), tasks=("click",)),
    facts=(stated("model", "w₀ + Σ wᵢxᵢ + Σ ⟨vᵢ, vⱼ⟩ xᵢxⱼ over all pairs", PAPER, path="interaction.0.first_order"),
           stated("numbers", "value × vector, like every feature", PAPER, path="representation.numeric"),
           stated("deep network", "none", PAPER, path="towers.kind"),
           stated("work for all pairs", "O(k·n), not O(k·n²)", PAPER, at="lemma 3.1"),
           stated("factors on Criteo", 10, DEEPFM),
           stated("AUC on Criteo", "0.7892, logistic regression 0.7686", DEEPFM, at="table 2"),
           known("usual number of factors", "8 to 20"),
           ours("embedding size", 16, why="the same on all rungs, so that they compare", path="representation.dim"),
           ours("optimiser here", "Adam on sparse gradients", why="one optimiser for all rungs, so that they compare")),
    grew="lr", adds="interaction", tagline="learned pairs",
    answers="Logistic regression knows a cross only where somebody made it: learn one for every pair, from a vector per value.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
