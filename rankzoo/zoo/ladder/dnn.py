"""DNN: embeddings side by side, and a deep network over them (the deep half of Cheng et al., DLRS 2016, alone)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016", "10.1145/2988450.2988454")
DCN_V2 = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank "
                "systems", "WWW 2021", "10.1145/3442381.3450078")

SYSTEM = System(
    id="dnn", place=2, name="DNN", source=PAPER, dataset="ads",
    story="Every value owns a short vector, and a few layers turn the vectors of an impression into one logit. Values that "
          "behave alike get like vectors, so the model says something sensible of pairs it never saw. It finds crosses only "
          "roughly, and sparse ones hardly.",
    blueprint=Blueprint(representation=Embeddings(dim=16), towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("layers", "ReLU(W a + b), all vectors side by side as input", PAPER, at="equation 2",
                  path="towers.activation"),
           stated("embedding size at Google Play", 32, PAPER, at="section 4.2"),
           stated("hidden layers at Google Play", "1024, 512, 256", PAPER, at="figure 4"),
           stated("deep part alone, offline", "AUC 0.722; the wide part alone 0.726", PAPER, at="table 1"),
           stated("weakness", "where most pairs should not interact, dense vectors still predict something for each", PAPER),
           stated("on Criteo, well tuned", "AUC 0.8098; DCN and xDeepFM 0.8099", DCN_V2, at="table 6"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths")),
    grew="lr", adds="towers", tagline="generalises",
    answers="A weight per value knows nothing of like values: give each a vector, and a network to mix them.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
