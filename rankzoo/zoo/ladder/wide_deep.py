"""Wide & Deep: a linear part that memorises and a deep network that generalises, trained together (Cheng et al., 2016)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016", "10.1145/2988450.2988454")

LESSON = Lesson(
    problem="Deep networks generalise too far: exceptions, true for one pair and no other, are forgotten.",
    why={
        "interaction": "A linear part with crosses that somebody chose, each pair of values a weight of its own: it memorises.",
        "towers": "The deep part generalises to pairs that were never seen; both logits are added before the loss.",
    },
    measured=("online gain over the wide model",),
    misreadings={
        "Two models are trained and averaged.": "One loss trains both parts; their logits are added, not probabilities.",
        "The wide part is any linear layer.": "Without a cross it memorises nothing; on dense embeddings neither.",
        "The crosses are learned.": "They are chosen by hand: that is the weakness that comes next.",
    },
    questions=(
        Question("Joint training or an ensemble: what is the difference?",
                 "Jointly, the wide part only has to mend what the deep one gets wrong, and can be small. In an ensemble each "
                 "must be good by itself.", "interaction",
                 slip="It is the same.", follow="Which quantities are added?", then="Logits. One sigmoid follows.",
                 facts=("joint training",)),
        Question("How many parameters does the wide part own?",
                 "A weight for each value, and one for each bucket of each hashed cross.", "interaction",
                 number="parameters", of="interaction", slip="The product of both vocabularies: the cross is hashed.",
                 follow="What does a hash collision do here?", then="Two pairs share a weight; the rarer one suffers."),
        Question("What still has to be done by hand?",
                 "Choosing the crosses. Everything on the next rungs is about that.", "interaction",
                 slip="Nothing.", follow="Which pair would you choose?",
                 then="A sparse one with real exceptions, such as country and advertiser."),
    ),
)

SYSTEM = System(
    id="wide_deep", place=3, name="Wide & Deep", source=PAPER, dataset="ads",
    lesson=LESSON,
    story="A linear part memorises exact crosses that somebody chose, a deep network generalises to pairs never seen. "
          "Their logits are added, and one loss trains both.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16),
        interaction=(Linear(crosses=(("country", "advertiser"),), buckets=5_000),),
        towers=MlpTower(widths=(256, 128, 64), head_bias=False), tasks=("click",)),
    facts=(stated("joint training", "both parts get the gradient of one logistic loss", PAPER, at="section 3.3",
                  path="losses.kind"),
           stated("embedding size at Google Play", 32, PAPER, at="section 4.2"),
           stated("hidden layers at Google Play", "1024, 512, 256", PAPER, at="figure 4"),
           stated("optimisers", "FTRL with L1 for the wide part, AdaGrad for the deep part", PAPER, at="section 3.3"),
           stated("online gain over the wide model", "+3.9 % app acquisitions", PAPER, at="table 1"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths"),
           ours("hand-made cross", "country × advertiser", why="a sparse pair, what a wide part is for",
                path="interaction.0.crosses"),
           ours("buckets of a cross", "5,000", why="the number of buckets is not stated", path="interaction.0.buckets"),
           ours("optimiser here", "Adam for both parts", why="one optimiser for all rungs, so that they compare")),
    grew="dnn", adds="interaction", tagline="joins both",
    answers="A deep network forgets the exceptions: join it with a linear part that memorises them.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
