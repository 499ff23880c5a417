"""Huawei, news: BERT trained with two auxiliary tasks and gradient surgery (MTRec; Bi et al., Findings of ACL 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import Before, Earlier, System
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
HISTORY = code("history and title length on MIND", "50 articles, titles of length 20", PAPER, at=OTHER)
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
    HISTORY,
    code("heads and their dropout", "linear, 0.2", PAPER, at=OTHER),
    code("layers of the heads", "three with ReLU, of 128 for the category and 64 for the entities", PAPER, at=FLORIS),
    code("auxiliary losses over", "all news of a batch, clicked and candidates", PAPER, at=FLORIS),
    code("backward passes", "two: the main loss, and the sum of the others", PAPER, at=FLORIS),
    code("gradients that are projected in the code", "both, each from the other as it came", PAPER, at=FLORIS),
    known("PCGrad", "projects every two tasks, in random order", PCGRAD),
    known("serving", "the click alone; the other heads are dropped"),
    unsure("which gradients are projected", "only the auxiliary ones", PAPER, why="the two abstracts differ",
           path="settings.combine"),
    unsure("auxiliary losses over in the paper", "all news, clicked and candidates", PAPER,
           why="the full text was not found; they may cover the candidates alone", path="towers.over"),
    unsure("negatives, learning rate, attention size", "not known", PAPER, why="the full text was not found"),
    BASE,
    ours("heads", "linear, without dropout", why="the re-implementations differ", path="towers.hidden"),
    ours("encoder here", "2 layers of 32, 4 heads, from scratch", why="a small encoder of ours: trains on a laptop",
         path="representation.layers"),
    ours("clicked news in the auxiliary losses", "a reader's once per batch, not with every candidate",
         why="the rows of a request share them, and this loss keeps these in one batch; what occurs twice counts twice, as in "
             "the re-implementations"),
    ours("tags", "O, B, I", why="one kind of name, as in the re-implementation"),
    ours("layer norm", "before", why="a few hundred steps are enough from scratch", path="representation.norm"),
    ours("query", 32, why="as wide as a news vector here", path="sequence.0.width"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
    ours("learning rate here", "4e-3; of the words' vectors 5e-2", why="a word stands in few titles", path="settings.lr"),
    ours("bias of the score", "none", why="a softmax over an impression cannot learn it", path="towers.bias"),
    ours("joined vector", "nothing", why="the dot product reads the two vectors as they are", path="concatenation.fields"),
)

LESSON = Lesson(
    problem="Category and entities of a news article help, but as extra inputs their shallow encoders do not fit beside a deep "
            "encoder of the title.",
    why={
        "representation": "A language model reads the title, and its state stands for the article. Category and entities are "
                          "no inputs.",
        "sequence": "Additive attention over the clicked articles makes the user's vector.",
        "interaction": "Nothing: user and article meet in the dot product alone.",
        "concatenation": "Nothing to join in the click's path; the pooled vectors go on as they are.",
        "sharing": "One encoder for all tasks: experts of its size would cost too much. Conflicts are handled in the "
                   "gradients.",
        "towers": "A dot product for the click; small heads for category and entities, which serving does not need.",
        "losses": "A softmax over one clicked article and some that were not, plus two auxiliary losses, scaled down; where "
                  "they work against the click, that part of their gradient goes.",
    },
    sure=(*("code",) * 6, "unsure"),
    unmeasured="The full text was not found: its results are not printed.",
    misreadings={
        "Category and entity embeddings are joined to the article's vector.": "They are labels and not inputs.",
        "It is standard PCGrad.": "It is asymmetric: one main task, and the auxiliary ones are merged first.",
        "Entities are recognised when serving.": "The heads are dropped then.",
        "The scale weighs the main loss.": "It scales the auxiliary ones.",
        "All that is called MTRec is this.": "Other works have the same name; the title tells them apart.",
        "It ranks by click, like and share.": "There is one task of engagement; the others are about content.",
    },
    questions=(
        Question("Why auxiliary tasks instead of more inputs?",
                 "They shape the encoder, cost nothing when serving, and work where the field is missing. But a field that is "
                 "known when serving is not used.", "losses",
                 slip="Because labels are cheaper than features.", follow="When would you prefer an input?",
                 then="When it is always known when serving and says much by itself.", facts=("auxiliary tasks",)),
        Question("What is a conflict of gradients?",
                 "Their cosine on shared weights is negative: a step along the sum can raise the loss of one task.", "losses",
                 slip="That one gradient is larger.", follow="Why not just scale the auxiliary losses down?",
                 then="That also weakens what helps. A projection only takes the part that opposes."),
        Question("How does it differ from PCGrad, in one sentence?",
                 "The auxiliary losses are merged and scaled first; then one projection against the main task replaces random "
                 "pairwise ones.", "losses",
                 slip="It uses another optimiser.", follow="Does that guarantee an improvement?",
                 then="Only to first order, on all rows and shared weights; batches and Adam break it.",
                 facts=("which gradients are projected",)),
        Question("Why hard sharing, and not MMoE or PLE?",
                 "Nearly all of the model is one encoder; several of its size would be too costly.", "sharing",
                 slip="Because the tasks are equal.", follow="What does the projection cost?",
                 then="One more backward pass, and two gradients in memory."),
        Question("Which part of the model is used when serving?",
                 "The encoder once for each article, the attention over the user's articles, and a dot product. The other "
                 "heads are dropped.", "towers",
                 slip="All heads: the category ranks too.", follow="Why is that practical?",
                 then="A new article needs no category and no entities.", facts=("score",)),
        Question("Why the state at [CLS], where PLM-NR pools the words by attention?",
                 "A choice of design: the category's head reads the same state, the heads of names read the words' own. All of "
                 "them teach one encoder.", "representation",
                 slip="Because [CLS] is known to be better.", follow="What speaks for pooling?",
                 then="[CLS] was pretrained for something else; in PLM-NR attention beats the average, which beats [CLS].",
                 facts=("vector of an article",)),
        Question("How many parameters does the representation own?",
                 "Words times width, and what reads them. In the original it is a whole language model.", "representation",
                 number="parameters", of="representation", slip="Counting articles instead of words.",
                 follow="Which part would you train?",
                 then="With few rows only the last layers; the rest is known from pretraining."),
        Question("How many multiplications does one example cost?",
                 "The attention over the past, and what reads the vectors. The encoder is not among them: articles do not "
                 "depend on the user, so it runs once for each article.", "towers",
                 number="multiplications", slip="Counting the encoder for every row.",
                 follow="What is computed when a new article appears?", then="Its vector, once; nothing is trained."),
    ),
)

SYSTEM = System(
    id="huawei", place=8, company="Huawei", name="MTRec-style", domain="news", source=PAPER,
    lesson=LESSON,
    story="Small encoders for category and entities do not fit well beside a deep encoder of the title. "
          "So one BERT (here a small encoder of ours, or MiniLM-L6 where it is installed and chosen) learns to predict category "
          "and entities while it learns to rank. "
          "Where an auxiliary gradient works against the click task, the part that does so is removed.",
    blueprint=BLUEPRINT, dataset="news", facts=FACTS, picture="gradients", tagline="auxiliary tasks",
    industry=(Size("representation.dim", 768, BASE), Size("representation.layers", 12, BASE),
              Size("representation.heads", 12, BASE), Size("representation.ffn", 3_072, BASE),
              Size("sequence.0.width", 128, ATTENTION),
              Size("title.word", 30_522, WORDS, table=True), Size("clicked", 50, HISTORY, history=True),
              Size("title", 20, HISTORY, history=True)),
    plain={"settings.combine": "sum"}, judged=("click",),
    before=Before((Earlier("click alone", "the same encoder trained for the click alone",
                           {"tasks": ["click"], "losses.weights": {}}),), seconds=250),
    settings=TrainSettings(epochs=5, batch_size=320, lr=4e-3, table_lr=5e-2, schedule="cosine", patience=0,
                           combine="mtrec_aux_only"),
)
