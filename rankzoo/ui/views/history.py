"""History: names for the past items of a row and for its candidate, as the data have them, and what is told by history."""
from __future__ import annotations

import math
from dataclasses import replace

from rankzoo.figures.attention import Candidate
from rankzoo.figures.words import missing
from rankzoo.inspection.attention import history_of, mark_of, spec_of
from rankzoo.inspection.averages import paired
from rankzoo.inspection.naming import middle, name
from rankzoo.inspection.view import Subject, Table
from rankzoo.inspection.words import title
from rankzoo.schema import History, HistoryField
from rankzoo.ui.words import say

QUESTIONS = {"learned": ("One learned question", "the same for every user and candidate"),
             "user": ("The user's own question", "made of who asks, for every candidate the same"),
             "nobody": ("No question", "every past item counts alike")}
"""Who asks where neither the candidate nor another history does: a name and a second line."""


def named(subject: Subject, frame: Table) -> dict[str, list[str]]:
    """Columns for the rows' figure: name and category (a detail where both are the same), the age as a range of days, and a mark
    of how it was received."""
    history = history_of(subject)
    finest, coarse = _finest(history), paired(history)
    names = [first(text) for text in _texts(subject, history, finest, frame)]
    if subject.dataset.schema.named(finest.table):
        names = [title(subject, int(item)) or made_up for item, made_up in zip(frame[finest.name], names, strict=True)]
    columns = {"name": names,
               "category": [last(text) for text in _texts(subject, history, coarse, frame)]}
    if finest == coarse and (amount := _amount(history)):
        columns["detail"] = _texts(subject, history, amount, frame)
    for f in history.fields:
        if f.table:
            continue
        texts = _texts(subject, history, f, frame)
        ordered = any(math.isfinite(middle(text)) for text in texts)
        columns.setdefault("age" if ordered else "feedback", [_age(text) for text in texts] if ordered else texts)
    return columns


def described(subject: Subject, frame: Table) -> list[str]:
    """A name for each past item; of one in a catalogue that has but a number, the two of its attributes that tell most."""
    catalogue, names = subject.dataset.schema.catalogue, named(subject, frame)["name"]
    told = next((f.name for f in history_of(subject).fields if subject.dataset.schema.named(f.table)), "")
    if not told or not all(_numbered(words, told) for words in names):
        return names
    items = subject.batch.catalogue.features
    others = sorted((f for f in catalogue.schema.categorical if f.name != catalogue.name), key=lambda f: -f.vocabulary)[:2]
    each = [[name(subject.dataset, catalogue.table(f.name), int(items[f.name][i])) for f in others] for i in frame[told]]
    return [", ".join(filter(None, words)) or number for words, number in zip(each, names, strict=True)]


def _numbered(words: str, field: str) -> bool:
    """Whether a name is the field's and a number, which tells nothing: «product 1218»."""
    return words.rpartition(" ")[0] == field and words.rpartition(" ")[2].isdigit()


def asker(subject: Subject, row: int, prediction: float = math.nan) -> Candidate:
    """Who asks a row's past items how much they count: its candidate, another history, or a question that knows of neither."""
    who = spec_of(subject).asker(subject.dataset.schema)
    if who == "candidate":
        return candidate(subject, row, prediction)
    asks = say("asks each past item how much it counts; the candidate has no say")
    if who == "history":
        return replace(candidate(subject, row, prediction), asks=asks)
    name, detail = (say(words) for words in QUESTIONS[who])
    return Candidate(name, detail, prediction, asks)


def candidate(subject: Subject, row: int, prediction: float = math.nan) -> Candidate:
    """What is being ranked in a row, by the features that it shares with the past items."""
    history, asking = history_of(subject), spec_of(subject).asks(subject.dataset.schema)
    if asking:
        return Candidate(_asked(subject, asking, row), "", prediction)
    words = []
    finest, coarse = _finest(history), paired(history)
    for f in (finest, (_amount(history) if finest == coarse else None) or coarse):
        if f is not None and f.table in subject.batch.features:  # rows that ask for any item of a catalogue have no candidate
            id = int(subject.batch.features[f.table][row])
            read = title(subject, id) if subject.dataset.schema.named(f.table) else ""
            words.append(" · ".join(filter(None, (read, name(subject.dataset, f.table, id) or say("unknown")))))
    if not words:
        return Candidate(say("Example {row}", row=row + 1), "", prediction)
    return Candidate(first(words[0]), last(words[-1]), prediction)


def _asked(subject: Subject, asking: str, row: int) -> str:
    """The words that ask, one after another."""
    field, ids = subject.dataset.schema.history(asking).fields[0], subject.batch.histories[asking][row, :, 0]
    said = (name(subject.dataset, f"{asking}.{field.name}", int(i), field.table) for i in ids[subject.batch.masks[asking][row]])
    return " ".join(word or say("unknown") for word in said) or say("Example {row}", row=row + 1)


def first(label: str) -> str:
    """«Cobalt lantern» of «Cobalt lantern · jazz»."""
    return label.split(" · ")[0]


def last(label: str) -> str:
    """«jazz» of «topic 0 · jazz»."""
    return label.split(" · ")[-1]


def received(subject: Subject) -> str:
    """The history's own field that stands in the column of marks, or nothing."""
    mark = mark_of(subject)
    return mark.name if mark else ""


def in_minutes(subject: Subject) -> bool:
    """Whether the history's ages are minutes rather than days."""
    history = history_of(subject)
    return any(name(subject.dataset, f"{history.name}.{f.name}", 1).endswith(" minutes") for f in history.fields if not f.table)


def _age(label: str) -> str:
    """«0.25–0.5 days» → «6–12 h», «3–4 days» → «3–4 d», «3–6 minutes» → «3–6 min»: short enough for its column."""
    if not label.endswith(" days"):
        return label.replace(" minutes", " min").replace("over ", "> ")
    low, dash, high = label.removesuffix(" days").partition("–")
    if dash and float(high) <= 1:
        return f"{24 * float(low):g}–{24 * float(high):g} h"
    return label.replace(" days", " d").replace("over ", "> ")


def _finest(history: History) -> HistoryField:
    """The field that tells items apart best."""
    return max(history.alike or history.fields, key=lambda f: f.vocabulary)


def _amount(history: History) -> HistoryField | None:
    """What tells past items of one name apart a little: the first of the amounts that a candidate has, too."""
    return next((f for f in history.paired if f.stepped), None)


def _texts(subject: Subject, history: History, field: HistoryField | None, frame: Table) -> list[str]:
    if field is None:
        return [""] * len(frame)
    path = f"{history.name}.{field.name}"
    return [name(subject.dataset, path, int(i), field.table) or say("unknown") for i in frame[field.name]]


def by_match(table: Table, value: str) -> list[tuple[str, float, float]]:
    """Every history with its `value` in rows where nothing in it matches and where something does, if both are known."""
    wide = table.pivot(index="history", columns="matches", values=value).reindex(columns=[False, True])
    return [(history, each[False], each[True]) for history, each in wide.iterrows() if not any(map(missing, each))]
