"""Microsoft News: a pretrained language model as the encoder of the news (PLM-NR; Wu et al., SIGIR 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import Before, Earlier, System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Wu et al.", 2021, "Empowering news recommendation with pre-trained language models", "SIGIR 2021",
               "10.48550/arXiv.2104.07413")
AUTHORS = "the authors' code, wuch15/PLM4NewsRec"
TINY = Source("yflyl613", 2022, "Tiny-NewsRec, a later release of the code", "EMNLP 2022")
NRMS = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
              "10.18653/v1/D19-1671")
LSTUR = Source("An et al.", 2019, "Neural news recommendation with long- and short-term user representations", "ACL 2019",
               "10.18653/v1/P19-1033")
MINILM = Source("Wang et al.", 2020, "MiniLM: deep self-attention distillation for task-agnostic compression of pre-trained "
                "transformers", "NeurIPS 2020", "10.48550/arXiv.2002.10957")
BERT = Source("Devlin et al.", 2019, "BERT: pre-training of deep bidirectional transformers for language understanding",
              "NAACL 2019", "10.18653/v1/N19-1423")

BLUEPRINT = Blueprint(
    representation=TextEncoder(dim=32, layers=2, heads=4, ffn=64, pooling="attention", space=32, init=0.3),
    sequence=(AdditiveAttention(width=32, candidate=True),),
    concatenation=Join(fields=()),
    towers=DotProduct(bias=False),
    losses=Listwise(),
    tasks=("click",),
)

BASE = stated("language model", "base size: 12 layers of 768", PAPER)
QUERY = code("attention over words and over news", "additive, with a query of 200", PAPER, at=AUTHORS, path="sequence.0.kind")
HISTORY = code("history", "50 articles", PAPER, at=AUTHORS)
TITLE = code("tokens of a title", "24 in one release, 30 in the other", PAPER, at=AUTHORS)
VECTOR = code("vector of an article", "256 wide", TINY)
HEADS = known("a base model", "12 heads, a feed-forward network four times as wide", BERT)
WORDS = known("vocabulary of BERT", "30,522 word pieces", BERT)

FACTS = (
    stated("input", "titles only", PAPER),
    stated("trained layers of the language model", "the last two", PAPER),
    stated("pooling of the words", "attention beats the average, which beats [CLS]", PAPER, path="representation.pooling"),
    stated("language models", "UniLM best; RoBERTa ahead of BERT", PAPER),
    stated("sizes of BERT compared", "12, 8, 4 and 2 layers; the larger the better", PAPER),
    stated("optimiser", "Adam, learning rate 1e-5, batch 128", PAPER),
    stated("live gain, NAML-UniLM in English", "+8.53 % clicks, +2.63 % page views", PAPER),
    stated("live gain, NAML-InfoXLM in 43 other markets", "+10.68 % clicks, +6.04 % page views", PAPER),
    BASE,
    HISTORY,
    TITLE,
    code("loss", "softmax over 1 positive and 4 negatives", PAPER, at=AUTHORS, path="losses.kind"),
    QUERY,
    code("dropout", "0.2", PAPER, at=AUTHORS),
    code("score", "dot product of user and news", PAPER, at=AUTHORS, path="towers.kind"),
    VECTOR,
    code("self-attention between words and pooling", "20 heads of 20 in one release, none in the other", PAPER, at=AUTHORS,
         path="representation.self_heads"),
    stated("user encoder of NRMS", "self-attention, then additive attention", NRMS),
    stated("user encoder of LSTUR", "a GRU; the reader's own vector is its first state, or joined to its last", LSTUR),
    stated("the reader's own vector in training", "hidden with probability 0.5", LSTUR),
    known("user encoder of NPA", "additive attention whose query is made of the reader's own vector"),
    known("a smaller language model", "MiniLM: 6 layers of 384, distilled from a larger one", MINILM),
    known("serving", "each article is encoded once; the score is a dot product"),
    unsure("sizes of the attention and of the vectors", "only in the code", PAPER, why="the paper does not print them"),
    ours("encoder here", "2 layers of 32, 4 heads, from scratch", why="a small encoder of ours: trains on a laptop",
         path="representation.layers"),
    ours("layers that are trained", "all", why="nothing is pretrained, so nothing may be kept frozen"),
    ours("pretrained encoder", "MiniLM-L6, where it is installed (kind pretrained_encoder)",
         why="a stand-in for a base-size model, and trained for sentences: [CLS] was not"),
    ours("dropout here", "none", why="a few hundred steps of a small encoder overfit little", path="representation.dropout"),
    ours("layer norm", "before", why="a few hundred steps are enough from scratch", path="representation.norm"),
    ours("width of an article's vector here", "as wide as a word's state", why="one map less for so small a model",
         path="representation.project"),
    ours("query", 32, why="as wide as a news vector here", path="representation.space"),
    ours("user encoder here", "NAML's additive attention", why="what was deployed; self-attention before it makes NRMS",
         path="sequence.0.width"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
    ours("learning rate here", "4e-3; of the words' vectors 5e-2", why="a word stands in few titles", path="settings.lr"),
    ours("bias of the score", "none", why="a softmax over an impression cannot learn it", path="towers.bias"),
    ours("joined vector", "nothing", why="the dot product reads the two vectors as they are", path="concatenation.fields"),
)

LESSON = Lesson(
    problem="News live for days, so an id never gathers a history: the text must say what an article is. Shallow text "
            "encoders, trained on clicks alone, understand little of it.",
    why={
        "representation": "A pretrained language model reads the title, and attention pools its words to one vector. Only its "
                          "last two layers are trained; here, where nothing is pretrained, all are.",
        "sequence": "Attention over the clicked articles makes one vector for the user, which knows nothing of the candidate.",
        "interaction": "Nothing: user and article meet only in the dot product, so that both can be kept.",
        "concatenation": "Replaced by pooling: there are no other fields to join.",
        "sharing": "Nothing: there is one task.",
        "towers": "A dot product; the depth is inside the language model.",
        "losses": "A softmax over the clicked article and some of the same impression: it compares what competed for one "
                  "glance.",
    },
    sure=("stated", "code", "code", "stated", "stated", "code", "code"),
    measured=("live gain, NAML-UniLM in English", "live gain, NAML-InfoXLM in 43 other markets", "pooling of the words",
              "language models"),
    misreadings={
        "The best model offline was deployed.": "NRMS-UniLM was best offline; NAML models were deployed.",
        "The live gain is in the click rate.": "It is in clicks and page views.",
        "The language model encodes the user.": "It encodes text; a user is made of articles.",
        "Whole articles are read.": "Titles only.",
        "It is multi-task or reads categories.": "It is not, and does not.",
        "The whole language model is finetuned.": "Only its last two layers.",
        "The published code is the paper's model.":
            "It has a language model cut to eight layers and one more self-attention, and lets padding take part.",
    },
    questions=(
        Question("Why does a language model help most for news?",
                 "Articles are short-lived, so ids carry no history and the text is the item. Pretraining brings meaning that "
                 "clicks alone cannot teach.", "representation",
                 slip="Because news are long texts.", follow="A story breaks right now. What does the model know?",
                 then="Its text at once; nothing of how popular it is."),
        Question("Why attention over the words, and not the [CLS] state?",
                 "[CLS] is one state that was trained for something else. Pooling uses all and learns which words "
                 "matter.", "representation",
                 slip="[CLS] is always better.", follow="What must be masked?", then="Padding, or it takes part in the sum.",
                 facts=("pooling of the words",)),
        Question("Why should one language model, UniLM, do better here than another, BERT?",
                 "It was trained to understand text and to write it, and may know more of both: so the authors guess.",
                 "representation", slip="It is larger.", follow="Does a larger one help?",
                 then="It does among the sizes of BERT; but a base size is what serving could pay for.",
                 facts=("language models", "sizes of BERT compared")),
        Question("Why train only the last two layers?",
                 "Nearly the same quality, far less compute and memory, and less is forgotten.", "representation",
                 slip="The others cannot be trained.", follow="And which learning rates?",
                 then="A small one for the language model, a larger one for what is new.",
                 facts=("trained layers of the language model", "optimiser")),
        Question("Why a softmax inside the impression, and not cross entropy for each row?",
                 "It compares articles that competed for the same glance, and the user's general liking for clicks drops out. "
                 "The logits are then no calibrated probabilities.", "losses",
                 slip="It is cheaper.", follow="What is the loss if all scores are equal?",
                 then="The logarithm of the number of candidates in the softmax.", facts=("loss",)),
        Question("How is it served in time?",
                 "Each article is encoded once, when it appears. A request needs the small user encoder and dot "
                 "products.", "towers",
                 slip="The language model runs for each request.", follow="What would target attention change?",
                 then="It may judge better, but the history must be read again for each candidate.", facts=("serving",)),
        Question("How many numbers does the history hold before attention reads it?",
                 "Clicked articles times the width of an article's vector.", "sequence",
                 number="history numbers", slip="Multiplying with the words of the titles: these are pooled before.",
                 follow="Does the user's vector change with the candidate?", then="No, one vector scores all candidates."),
        Question("How many parameters does the representation own?",
                 "Words times width and the layers that read them. In the original a language model stands here, and most of "
                 "it is frozen.", "representation",
                 number="parameters", of="representation", slip="Counting articles instead of words.",
                 follow="What grows with the number of articles?", then="The stored vectors, not the parameters."),
    ),
)

SYSTEM = System(
    id="microsoft", place=11, company="Microsoft", name="PLM-NR", domain="news", source=PAPER, lesson=LESSON,
    story="News are short-lived, so the text has to say what an item is. A pretrained language model (here a small encoder of "
          "ours, or MiniLM-L6 where it is installed and chosen) encodes each title, and attention over the clicked titles makes "
          "the user's vector. Only the encoder of the news is exchanged, and just its last two layers are trained.",
    blueprint=BLUEPRINT, dataset="news", facts=FACTS, picture="embeddings", tagline="text encoder",
    industry=(Size("representation.dim", 768, BASE), Size("representation.layers", 12, BASE),
              Size("representation.heads", 12, HEADS), Size("representation.ffn", 3_072, HEADS),
              Size("representation.space", 200, QUERY), Size("representation.project", 256, VECTOR),
              Size("sequence.0.width", 200, QUERY), Size("title.word", 30_522, WORDS, table=True),
              Size("clicked", 50, HISTORY, history=True), Size("title", 24, TITLE, history=True)),
    plain={"representation.pooling": "average"},
    before=Before((
        Earlier("NRMS words", "the same model with NRMS's encoder of the news, a table of words that read each other", {
            "representation": {"kind": "word_attention", "dim": 32, "self_width": 8, "space": 32, "init": 0.3}}),
        Earlier("word table", "the same model over a table of words, a title being their average", {
            "representation": {"kind": "attributes", "items": ["title"], "dim": 32, "unknown": 0.0, "init": 0.3}}),
        Earlier("weighed", "the same model over a table of words that attention pools as they are", {
            "representation": {"kind": "word_attention", "dim": 32, "self_heads": 0, "space": 32, "init": 0.3}})), seconds=190,
        why="Nothing is pretrained here, and what a language model brings is what it has read before. Two words of a made-up "
            "title tell its topic wherever they stand: learned from the same clicks, an average of words knows as much as the "
            "encoder, and attention that picks them out knows more."),
    settings=TrainSettings(epochs=5, batch_size=320, lr=4e-3, table_lr=5e-2, schedule="cosine", patience=0),
)
