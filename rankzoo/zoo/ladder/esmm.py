"""ESMM: conversions after a click, learnt from all impressions through a product (Ma et al., SIGIR 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Ma et al.", 2018, "Entire space multi-task model: an effective approach for estimating post-click conversion "
               "rate", "SIGIR 2018", "10.1145/3209978.3210104")

LESSON = Lesson(
    problem="What follows a click is known for clicked rows alone, yet all candidates are scored: the model is used where it "
            "never trained, and it trains on few rows.",
    why={
        "losses": "Click, and click with conversion, are both learned on all impressions; the conversion's chance is the "
                  "factor between them and has no loss of its own.",
        "representation": "One table for both towers: the many clicks teach the vectors of the few conversions.",
        "towers": "One for the click, one for what follows it; their probabilities are multiplied.",
    },
    measured=("AUC of CVR on clicks, public data", "AUC of CTCVR, public data"),
    misreadings={
        "The second output is the conversion rate.": "The product is clicks with conversion; the rate is the factor.",
        "Logits are multiplied.": "Probabilities are.",
        "The bias is gone.": "The rate is known through the product only; rows without a click push it down too.",
    },
    questions=(
        Question("Does it remove the sample selection bias?",
                 "It trains on the entire space, but the rate is identified through the product alone. Causal variants go on "
                 "from there.", "losses",
                 slip="Yes, completely.", follow="How do you check its calibration?",
                 then="Predicted against observed conversions on all rows, and the rate on clicked rows by itself.",
                 facts=("whether the selection bias is gone",)),
        Question("Why not divide two models' predictions?",
                 "A small denominator makes it unstable, and the result may exceed one.", "losses",
                 slip="It is slower.", follow="How is the product's loss computed safely?",
                 then="In logarithms: the sum of two log-sigmoids, never a logit of the product."),
        Question("How many parameters do both towers own?",
                 "Two networks of the same widths over one joined vector.", "towers",
                 number="parameters", of="towers", slip="One: the second reuses the first.", follow="What do they share?",
                 then="The tables, and nothing else.", facts=("shared between the towers",)),
    ),
)

SYSTEM = System(
    id="esmm", place=17, name="ESMM", source=PAPER, dataset="conversions", picture="heads", grew="shared_bottom",
    lesson=LESSON,
    story="What happens after a click is known for clicked rows only, yet every candidate is scored. The tower for the purchase "
          "has no loss of its own: its probability times the click's is trained on all impressions, over one shared table.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), towers=MlpTower(widths=(64, 32)),
        losses=EntireSpace(click="click", conversion="purchase"), tasks=("click", "purchase")),
    facts=(stated("product", "pCTCVR = pCTR · pCVR", PAPER, path="losses.conversion"),
           stated("loss", "cross entropy of the click and of click and conversion, over all impressions", PAPER,
                  path="losses.click"),
           stated("shared between the towers", "the embedding table", PAPER, path="sharing.kind"),
           stated("embedding size of the paper", 18, PAPER),
           stated("layers of the paper", "360, 200, 80, 2", PAPER),
           stated("AUC of CVR on clicks, public data", "68.56 % against 66.00 % of a model of clicks alone", PAPER),
           stated("AUC of CTCVR, public data", "65.32 % against 62.07 %", PAPER),
           unsure("whether the selection bias is gone", "pCVR is known through the product alone", PAPER,
                  why="rows without a click push pCVR down too"),
           ours("embedding size", 16, why="as in the other textbook models", path="representation.dim"),
           ours("tower widths", "64, 32", why="trains on a laptop", path="towers.widths")),
    adds="losses", tagline="after a click",
    answers="A tower for what follows a click learns from clicked rows alone: let it learn from all, through the product.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=5e-3, schedule="cosine", patience=0),
)
