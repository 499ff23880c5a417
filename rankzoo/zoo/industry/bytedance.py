"""ByteDance, BytePlus Recommend: a table without collisions under a DeepFM, trained online (Monolith; Liu et al., 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, code, derived, known, ours, stated, unsure
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Liu et al.", 2022, "Monolith: real time recommendation system with collisionless embedding table",
               "arXiv 2209.07663, 2022")
TEXT = "a full translation"
CODE = "bytedance/monolith, commit 135c491"

FACTS = (
    stated("embedding table", "cuckoo hashing, so no two ids share a row", PAPER, at=TEXT, path="representation.index"),
    stated("admission", "an id enters once it was seen often enough, or by chance", PAPER, at=TEXT),
    stated("expiry", "a row goes after a time without activity", PAPER, at=TEXT),
    stated("model of the public experiments", "a standard DeepFM", PAPER, at=TEXT),
    stated("towers in production", "one for each behaviour", PAPER, at=TEXT),
    stated("updates sent to serving", "touched rows every minute, dense weights daily", PAPER, at=TEXT),
    stated("what a snapshot a day costs", "of 1000 servers one loses a day of updates every 10 days", PAPER, at=TEXT),
    stated("baseline in production", "quotient-remainder sum: 2^48 ids in 2^25 rows", PAPER, at=TEXT),
    stated("first five days in a batch, then a stream", "each shard is scored before it is trained on", PAPER, at=TEXT),
    known("collision rates of the public experiment", "users 7.73 %, movies 2.86 %", PAPER),
    derived("rows of the hashed table", "10^6 for each field", PAPER, at="table 1",
            why="MD5 mod 10^6 gives exactly its 149,970 and 57,361 rows; the paper prints no M"),
    known("on Criteo, average AUC online and batch", "79.66, 79.42 (5 h); 79.78, 79.44 (1 h); 79.80, 79.43 (30 min)", PAPER),
    known("live ads, online against batch", "AUC +14 to +18 % on seven days; of which base is not said", PAPER),
    code("admission threshold", "0, which is off", PAPER, at=CODE, path="representation.min_count"),
    code("expiry in the published code", "36,500 days, which is never", PAPER, at=CODE, path="representation.expire"),
    code("unknown id", "reads zeros; its row is made at the first update", PAPER, at=CODE),
    code("start of a row", "uniform between −0.05 and 0.05", PAPER, at=CODE, path="representation.init"),
    code("negatives that were sampled", "−ln r on the logit in training; the paper's text adds +ln r in serving", PAPER, at=CODE),
    known("loss", "binary cross entropy", PAPER, path="losses.kind"),
    known("first order", "a weight beside each vector", PAPER, path="representation.first_order"),
    unsure("embedding size", "8", PAPER, why="not disclosed; enough for 6,000 ids", path="representation.dim"),
    unsure("hidden layers", "32, 16", PAPER, why="not disclosed", path="towers.widths"),
    unsure("optimiser, learning rate, batch", "row-wise Adam, 4e-3, 1,024", PAPER, why="not disclosed"),
    ours("numbers", "value × vector", why="so that the machine can cross them on other data; these have none",
         path="representation.numeric"),
    ours("tasks", "one, the click", why="the public experiments have one; production's towers are not described", path="tasks"),
    ours("rows at the start", "one for each id of the training part",
         why="the code makes a row at an id's first update; after one pass over the data all have one"),
)

SYSTEM = System(
    id="bytedance", place=6, company="ByteDance", name="Monolith with DeepFM", domain="platform", source=PAPER,
    story="Ids keep growing, and what people like drifts within minutes. "
          "A factorisation machine and a deep network read a hash table that gives every id a row of its own. "
          "Training goes on online, and the touched rows reach the serving model every minute.",
    blueprint=Blueprint(representation=GrowingTable(dim=8, numeric="vector"), interaction=(FM(),),
                        towers=MlpTower(widths=(32, 16)), tasks=("click",)),
    dataset="ids", facts=FACTS, picture="rows", grew="deepfm",
    industry=(Size("user_id", 162_542, known("users of the public experiment", "162,541", PAPER), table=True),
              Size("item_id", 59_048, known("films of the public experiment", "59,047", PAPER), table=True)),
    settings=TrainSettings(epochs=3, batch_size=1024, lr=4e-3, schedule="cosine", patience=0),
)
