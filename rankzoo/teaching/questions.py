"""Questions: what a system's own file asks, and what can be asked of any model on screen, component by component."""
from __future__ import annotations

from collections.abc import Iterator

from rankzoo.blueprint import SLOTS
from rankzoo.lesson import Question
from rankzoo.system import System
from rankzoo.teaching.numbers import number
from rankzoo.teaching.screen import Screen

GENERAL = (
    Question("What share of the parameters is looked up in tables, in per cent?",
             "Rows times width of all tables, over everything. In a small sample the network may weigh more; with real ids "
             "nearly all lies in the tables.", "representation",
             number="embedding share", slip="Quoting industry: here the tables are as short as the sample's.",
             follow="Which part costs the compute, then?", then="The layers: a look-up multiplies nothing."),
    Question("The tables of ids become a thousand times as long. How many megabytes do the parameters take?",
             "Rows times width times four bytes; beside tables of ids the network hardly counts. This is why such models are "
             "split over machines.", "representation",
             number="memory at scale", slip="Scaling the layers too: they do not know the number of ids.",
             follow="What grows with it besides memory?", then="The optimiser's states, one or two numbers for each parameter."),
    Question("How many numbers do the histories hold before attention reads them?",
             "Positions times the width of a past item. Padding takes part in the shape, and a mask takes it out of the result.",
             "sequence", number="history numbers", slip="The width of a single item.",
             follow="What leaves the slot?", then="No positions any more: vectors, however long a history was."),
    Question("How many pairs of fields could an explicit cross layer learn here?",
             "n · (n − 1) / 2: each pair once, no field with itself.", "interaction", number="pairs",
             slip="n², with both orders and the field itself.", follow="How many of them matter?",
             then="Usually few: look at Inside, under Crosses, where the planted ones are outlined."),
    Question("How wide is the vector that the concatenation hands on?",
             "The vectors of all fields that are joined, one after another, single numbers as they are.", "concatenation",
             number="join width", slip="The embedding size alone, or the number of fields.",
             follow="Which parameters grow when a field is added?",
             then="Its table, and the first matrices of whoever reads the joined vector."),
    Question("How many parameters does the sharing own?",
             "Experts are networks and are counted as such; a gate is one linear map for each task.", "sharing",
             number="parameters", of="sharing", slip="Forgetting the gates, or counting biases in them.",
             follow="Which part grows with one more task?", then="A gate and a tower; experts only where tasks own some."),
    Question("How many parameters do the towers own?",
             "Each task has a tower of its own, up to its logit: inputs times outputs of every layer, and its biases. What "
             "stands beside them, such as a side tower, counts too.", "towers",
             number="parameters", of="towers", slip="Forgetting the last map to the logit, or counting the tower of one task.",
             follow="Which layer is the largest?", then="The first: it reads the widest vector."),
    Question("How many multiplications does one example cost?",
             "Each matrix multiplies once for each of its weights, at every position where it stands. Look-ups cost none.",
             "towers", number="multiplications", slip="Taking the number of parameters: rows are only looked up.",
             follow="And in FLOPs?", then="Twice as many: each multiplication comes with an addition."),
    Question("How many logits leave the model for one example?",
             "One for each task that says yes, no or how much; one for each class where a task chooses. Tasks may also "
             "share one score.", "losses",
             number="logits", slip="Always one.", follow="What becomes of them when serving?",
             then="A sigmoid or a softmax, and one score that is made of the tasks' outputs."),
)
"""Questions that fit any model; each is asked where its number exists, and what it says is so."""


def questions(system: System, screen: Screen) -> tuple[Question, ...]:
    """What can be asked of the model on screen, component by component and last what is about the whole: the system's own,
    those of any model whose number is not asked for yet, and what the gates of the run in hand have learned."""
    own = [question for question in system.lesson.questions if fits(question, system, screen)]
    asked = {(question.number, question.of) for question in own}
    more = [q for q in GENERAL if (q.number, q.of) not in asked and fits(q, system, screen) and so(q, screen)]
    every = [*own, *more, *learned(screen)]
    order = (*SLOTS, "")
    return tuple(sorted(every, key=lambda question: order.index(question.slot)))  # a stable sort: own questions stay first


def fits(question: Question, system: System, screen: Screen) -> bool:
    """Whether a question makes sense of the model on screen: its number exists there, and it is not about a component that
    the system uses and this model no longer does."""
    if question.number:
        return number(question.number, question.of, screen) is not None
    gone = question.slot and not screen.blueprint.used(question.slot)
    return not (gone and system.slots()[question.slot])


def so(question: Question, screen: Screen) -> bool:
    """Whether what a question of any model says of the tasks' own parts is so of the model on screen: there may be groups or
    masks in place of gates, and items' vectors in place of towers."""
    tasks = set(screen.blueprint.tasks)
    if (question.number, question.of) == ("parameters", "sharing"):
        return {block.task for block in screen.blueprint.blocks(screen.schema) if block.form == "gate"} - {""} == tasks
    if (question.number, question.of) == ("parameters", "towers"):
        heads = screen.count().within("towers.head").parts
        return {part.path.rpartition(".")[2] for part in heads if part.parameters and part.output == (1,)} == tasks
    return True


def learned(screen: Screen) -> Iterator[Question]:
    """One question for each gate of a task in the run in hand: which expert it listens to."""
    for address in screen.gates:
        yield Question("After training: to which expert does the gate of {of} give most?",
                       "The mean weight over the rows says whom a task listens to. It may differ much from row to row.",
                       "sharing", number="preferred expert", of=address, slip="The same one as for all other tasks.",
                       follow="Is that expert the best one?", then="A weight is not a cause: leave the expert out and look.")
