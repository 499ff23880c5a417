"""Huawei, news: BERT trained with two auxiliary tasks and gradient surgery (MTRec; Bi et al., Findings of ACL 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Bi et al.", 2022, "MTRec: multi-task learning over BERT for news recommendation", "Findings of ACL 2022",
               "10.18653/v1/2022.findings-acl.209")
FLORIS = "re-implementation by Floris6D"
OTHER = "a re-implementation on MIND"
PCGRAD = Source("Yu et al.", 2020, "Gradient surgery for multi-task learning", "NeurIPS 2020")
BERT = Source("Devlin et al.", 2019, "BERT: pre-training of deep bidirectional transformers for language understanding",
              "NAACL 2019", "10.18653/v1/N19-1423")

BLUEPRINT = Blueprint(
    representation=TextEncoder(dim=32, layers=2, heads=4, ffn=64, pooling="cls", init=0.3),
    sequence=(AdditiveAttention(width=32, candidate=True),),
    concatenation=Join(fields=()),
    towers=TextHeads(bias=False),
    losses=Listwise(weights={"category": 0.3, "entities": 0.3}),
    tasks=("click", "category", "entities"),
)

BASE = unsure("BERT", "base size: 12 layers of 768, 12 heads", PAPER, why="the full text was not found")
ATTENTION = code("width of the attention over news", 128, PAPER, at=FLORIS)
WORDS = known("vocabulary of BERT", "30,522 word pieces", BERT)

FACTS = (
    stated("auxiliary tasks", "category and entities, as targets and not as inputs", PAPER, at="abstract", path="towers.kind"),
    stated("gradient surgery", "auxiliary gradients change by their conflict with the main task", PAPER, at="abstract"),
    stated("data", "MIND", PAPER, at="abstract"),
    code("vector of an article", "BERT's state at [CLS] over the title", PAPER, at="third parties' notes",
         path="representation.pooling"),
    code("vector of the user", "additive attention over the clicked articles", PAPER, at=FLORIS, path="sequence.0.kind"),
    code("score", "dot product of user and article", PAPER, at=FLORIS),
    code("main loss", "softmax over 1 positive and 4 negatives", PAPER, at=FLORIS, path="losses.kind"),
    code("scale of the auxiliary losses", "0.3", PAPER, at=FLORIS, path="losses.weights"),
    code("history and title length on MIND", "50 articles, titles of length 20", PAPER, at=OTHER),
    code("auxiliary losses over", "all news of a batch, clicked and candidates", PAPER, at=FLORIS),
    code("backward passes", "two: the main loss, and the sum of the others", PAPER, at=FLORIS),
    code("gradients that are projected in the code", "both, each from the other as it came", PAPER, at=FLORIS),
    known("PCGrad", "projects every two tasks, in random order", PCGRAD),
    known("serving", "the click alone; the other heads are dropped"),
    unsure("which gradients are projected", "only the auxiliary ones", PAPER, why="the two abstracts differ"),
    unsure("negatives, learning rate, attention size", "not known", PAPER, why="the full text was not found"),
    BASE,
    ours("heads", "linear", why="the re-implementations differ"),
    ours("encoder here", "2 layers of 32, 4 heads, from scratch", why="a small encoder of ours: trains on a laptop",
         path="representation.layers"),
    ours("auxiliary losses here", "over candidates", why="a row's own news item; the clicked ones are others' candidates"),
    ours("tags", "O, B, I", why="one kind of name, as in the re-implementation"),
    ours("layer norm", "before", why="a few hundred steps are enough from scratch", path="representation.norm"),
    ours("query", 32, why="as wide as a news vector here", path="sequence.0.width"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
    ours("learning rate here", "4e-3; of the words' vectors 5e-2", why="a word stands in few titles"),
    ours("bias of the score", "none", why="a softmax over an impression cannot learn it", path="towers.bias"),
    ours("joined vector", "nothing", why="the dot product reads the two vectors as they are", path="concatenation.fields"),
)

SYSTEM = System(
    id="huawei", place=8, company="Huawei", name="MTRec-style", domain="news", source=PAPER,
    story="Small encoders for category and entities do not fit well beside a deep encoder of the title. "
          "So one BERT (here a small encoder of ours) learns to predict category and entities while it learns to rank. "
          "Where an auxiliary gradient works against the click task, the part that does so is removed.",
    blueprint=BLUEPRINT, dataset="news", facts=FACTS, picture="gradients", grew="nrms", tagline="auxiliary tasks",
    industry=(Size("representation.dim", 768, BASE), Size("representation.layers", 12, BASE),
              Size("representation.heads", 12, BASE), Size("representation.ffn", 3_072, BASE),
              Size("sequence.0.width", 128, ATTENTION),
              Size("title.word", 30_522, WORDS, table=True)),
    settings=TrainSettings(epochs=5, batch_size=320, lr=4e-3, table_lr=5e-2, schedule="cosine", patience=0,
                           combine="mtrec_aux_only"),
)
