"""The Home Depot, next product in a session: a transformer over attributes (M2TRec; Shalaby et al., RecSys 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.towers.classes import Classes
from rankzoo.facts import Size, Source, code, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.blend import Blend
from rankzoo.system import Before, Earlier, System
from rankzoo.training.settings import TrainSettings
from rankzoo.training.untrained import Popular

PAPER = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and cold-start free "
               "session-based recommendations", "RecSys 2022")
FAPAT = Source("HKUST-KnowComp", 2023, "FAPAT, which re-implements M2TRec as a baseline", "NeurIPS 2023")
FIGURE = "caption of figure 1, as a review quotes it"
LITTLE = "only the abstract and a caption were read"

BLUEPRINT = Blueprint(
    representation=Attributes(dim=16, unknown=0.05, init=0.3),
    sequence=(Encoder(token=32, blocks=1, heads=4, ffn=128, norm="pre", positions="none", read="mean"),),
    towers=Classes(widths=(), tied=True),
    tasks=("next_item", "category", "subcategory"),
)

FACTS = (
    stated("item ids", "not an input", PAPER, at="abstract", path="representation.kind"),
    stated("predicted together", "next item and its categories", PAPER, at="abstract"),
    stated("data", "one public and one large industrial set", PAPER, at="abstract"),
    stated("several tasks", "converge faster and improve the overall accuracy", PAPER, at="abstract"),
    code("vector of an item", "the embeddings of its attributes, concatenated", PAPER, at=FIGURE),
    code("session", "transformer, then the average over its items", PAPER, at=FIGURE, path="sequence.0.read"),
    code("heads", "several softmaxes on one session vector", PAPER, at=FIGURE, path="towers.kind"),
    derived("direction of the attention", "both ways", PAPER, why="one pooled vector, and the targets are not in the input"),
    code("weights of the losses", "1.0 each", FAPAT, path="losses.weights"),
    known("metrics of the field", "Recall@20 and MRR@20"),
    unsure("blocks, heads, widths, layer norm", "not known", PAPER, why=LITTLE),
    ours("blocks", 1, why="the paper's were not read", path="sequence.0.blocks"),
    ours("heads of the attention", 4, why="the paper's were not read", path="sequence.0.heads"),
    ours("width of the feed-forward part", 128, why="4 × a token, the usual ratio", path="sequence.0.ffn"),
    unsure("attributes", "category, sub-category, brand, price, title", PAPER, why="the abstract names the categories alone",
           path="representation.items"),
    unsure("words of a title", "mean of their vectors", PAPER, why=LITTLE),
    unsure("output layer", "not known", PAPER, why=LITTLE),
    ours("layer norm", "before", why="a few hundred steps are enough from scratch", path="sequence.0.norm"),
    ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
    ours("score of an item", "dot product with the encoding of its attributes", why="only this can score an unseen item",
         path="towers.tied"),
    ours("attributes hidden in training", "5 %", why="else an unknown value's vector is never trained, and a new brand is noise",
         path="representation.unknown"),
    ours("width of a token", 32, why="trains in seconds", path="sequence.0.token"),
    ours("positions", "none", why="the order in a session says nothing in the sample data", path="sequence.0.positions"),
    ours("rows", "every prefix of a session predicts what follows", why="common practice; the paper's is not known"),
    ours("softmax", "over all products that training knows", why="1,500 products need no sampling"),
    ours("categories when serving", "β = 0: not used for the ranking", why="the source does not say that they are"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
)

LESSON = Lesson(
    problem="A vector for each product makes the memory grow with the catalogue, and a rare or new product has a bad one. "
            "Sessions are short and anonymous, so the products in them are all there is.",
    why={
        "representation": "A product is its attributes: a table for each attribute, none for products. A new one has a vector "
                          "at once.",
        "sequence": "A transformer over the products seen in the session, then their average: short and noisy sessions do not "
                    "deserve a favourite position.",
        "interaction": "Nothing of its own; attention mixes products and not fields.",
        "concatenation": "Where it counts, inside the product: its attributes' vectors side by side are the transformer's "
                         "input.",
        "sharing": "No gates: several softmaxes read one session vector, which is hard sharing.",
        "towers": "A dot product of the session with the encoding of every product, and with the tables of the categories; no "
                  "deep network is mentioned.",
        "losses": "Cross entropy over all products, and over their categories: the categories have many more labels each and "
                  "help early on.",
    },
    sure=("code", "code", "unsure", "code", "code", "ours", "derived"),
    measured=("several tasks",),
    unmeasured="The abstract claims gains on rare products; its tables could not be read, so no number is printed.",
    misreadings={
        "Products have ids here, with metadata beside them.": "It is free of ids; a re-implementation adds them.",
        "Attributes are averaged.": "They are concatenated, says the figure's caption.",
        "A [CLS] token stands for the session.": "The average of its products does.",
        "Cold start means new users.": "New products: the sessions are anonymous anyway.",
        "The category heads decide the ranking.": "They are auxiliary, for training.",
        "It is trained on masked items.": "It predicts the next item and its categories; a re-implementation names it so.",
        "A new product ranks as well as a known one.": "It can be ranked at all; its popularity is still unknown.",
    },
    questions=(
        Question("How can a product be recommended that no training has seen?",
                 "Its vector is a function of attributes, and their tables were trained on other products. The scorer reads "
                 "the same encoding.", "representation",
                 slip="By its id's random vector, until it is trained.", follow="What if its brand is new too?",
                 then="It falls to the row of the unknown value, which must have been trained: some attributes are hidden in "
                      "training.",
                 facts=("item ids", "attributes hidden in training")),
        Question("What is lost without ids?",
                 "Products with equal attributes cannot be told apart, and what is popular or bought together for no visible "
                 "reason is gone.", "representation",
                 slip="Nothing: attributes say it all.", follow="What is the remedy?",
                 then="An id beside the attributes for products that are known, held back by dropout."),
        Question("How many parameters does the representation own?",
                 "The rows of the attributes' tables, each times its width. The number of products is not in the "
                 "formula.", "representation",
                 number="parameters", of="representation", slip="Products times width.", follow="And with a table of ids?",
                 then="Products times width on top, which grows with the catalogue."),
        Question("How many numbers does the session hold before attention reads it?",
                 "Positions times the width of a product's attributes side by side; padding takes part in the shape and not in "
                 "the result.", "sequence",
                 number="history numbers", slip="Counting only the width of one product.",
                 follow="Why the average and not the last product?",
                 then="It is robust for short noisy sessions; it loses what came last, so compare the two."),
        Question("How many logits leave the model for one example?",
                 "One for each product, and one for each category of every level: it is a choice and not a probability of a "
                 "click.", "losses",
                 number="logits", slip="One for each task.", follow="A softmax over millions?",
                 then="Sample negatives with a correction for their frequency, take those of the batch, or do it in two "
                      "stages."),
        Question("Before training all scores are about equal. What is the loss of all tasks together?",
                 "A softmax over n equal scores gives each 1/n, so that a task costs the logarithm of its choices. New "
                 "products are no choices in training, so that a curve begins a little lower; where it begins far above, the "
                 "scores begin too large.", "losses",
                 number="equal scores", slip="Zero, since nothing is preferred.",
                 follow="Is this pointwise learning to rank?",
                 then="No, it is a softmax over the items; with the candidate as an input it could be made so."),
        Question("Why does predicting the category help?",
                 "Its labels are dense, its gradients smooth early on, and it pulls the session to the right part of the "
                 "catalogue.", "losses",
                 slip="Because the category ranks the products afterwards.", follow="Could it hurt?",
                 then="If a session crosses categories on purpose; the gain must be measured against one head alone.",
                 facts=("several tasks", "categories when serving")),
        Question("The heads stand side by side. Why not one behind the other?",
                 "Side by side is hard sharing: a category's head reaches the next item through the session's vector alone. A "
                 "later model hands the predicted intent on to the items' head.", "sharing",
                 slip="The category's head filters the products.", follow="What speaks for side by side?",
                 then="It is simple, the heads of categories can be dropped when serving, and a wrong category misleads nobody."),
        Question("How do you evaluate cold start fairly?",
                 "Hide products from training as inputs and as targets, rank against the whole catalogue, report by how often "
                 "the target was seen, and treat ties with care.", "",
                 slip="Test on the last day's sessions.", follow="Why do ties matter here?",
                 then="Products with equal attributes have equal scores; counting them as found would flatter the model."),
    ),
)

SYSTEM = System(
    id="homedepot", place=9, company="Home Depot", name="M2TRec-style", domain="products", source=PAPER,
    lesson=LESSON,
    story="A vector for each product costs memory in a huge catalogue and is bad for rare and new products. "
          "A transformer reads the attributes of the products seen in a session and predicts the next one. "
          "It uses no product id, so a new product can be recommended at once.",
    blueprint=BLUEPRINT, dataset="sessions", facts=FACTS, serving=Blend(), picture="items",
    industry=(Size("sequence.0.token", 128, code("hidden size of the re-implementation", 128, FAPAT)),
              Size("sequence.0.ffn", 512, unsure("width of the feed-forward part", "4 × hidden", PAPER, why="the usual ratio"))),
    plain={"sequence": [{"kind": "pooling"}]}, judged=("next_item",),
    before=Before((
        Earlier("ids", "the same transformer over a table of product ids",
                {"tasks": ["next_item"], "representation.items": ["product"], "representation.unknown": 0.0}),
        Earlier("popular", "the products that come next most often", rule=Popular("session")),
        Earlier("category", "what comes next most often, the last product's category first",
                rule=Popular("session", like="category"))),
        seconds=100),
    settings=TrainSettings(epochs=6, batch_size=256, lr=6e-3, schedule="cosine", patience=0),
)
