"""Report: one page about a model as HTML that stands alone: diagram, counts with their arithmetic, where every value is from,
what was changed, and (of a run) what it reached beside what could be known.

Nothing in it is loaded from elsewhere, and everything that a person named is escaped.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from html import escape

from rankzoo.data import uploads
from rankzoo.document import Document
from rankzoo.export.about import SHOWN, differences
from rankzoo.export.picture import NOTHING, Learned, counted, drawn
from rankzoo.facts import MEANING
from rankzoo.figures.svg import to_svg
from rankzoo.figures.theme import theme
from rankzoo.figures.words import fixed, flops, memory, size, whole, work
from rankzoo.inspection import counts
from rankzoo.inspection.advice import advice
from rankzoo.inspection.memory import held
from rankzoo.inspection.scale import CARD, Scaled, costs
from rankzoo.paths import leaves
from rankzoo.runs.tables import Run
from rankzoo.shape import Count

STYLE = """body{font:15px/1.5 'Source Sans 3','Source Sans','Helvetica Neue',Arial,sans-serif;color:#1f2430;max-width:1100px;
margin:32px auto;padding:0 24px}h1{font-size:26px;margin:0}h2{font-size:18px;margin:32px 0 8px}svg{width:100%;height:auto}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid
#dde;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}.grey{color:#5b6270}code{font-size:12px}
@media print{body{margin:0;max-width:none}}"""
NAMES = {"flops_request": "FLOPs once a request", "flops_candidate": "FLOPs for each candidate",
         "flops_per_request": "FLOPs of a request of 1,000", "flops_once": "FLOPs once, to encode the items"}
COSTS = {"float32": memory, "bfloat16": memory, "int8": memory, "training": memory, "activations": memory, "cards": whole,
         "flops_request": flops, "flops_candidate": flops, "flops_per_request": flops, "flops_once": flops}


def report(document: Document, inside: Learned = NOTHING, run: Run | None = None, translate: Callable[[str], str] = str,
           language: str = "en") -> str:
    """The page as text; `inside` and `run` of a run of exactly this document, its words in the language of `translate`."""
    system, schema, say = document.system, document.schema(), partial(_in_words, translate)
    colours, count = theme("light"), document.blueprint.count(schema)
    source = (f'<a href="{escape(system.source.url)}">{escape(system.source.short)}</a>' if system.source.url
              else escape(system.source.short))
    data = uploads.upload(document.data).name if uploads.exists(document.data) else document.data
    tasks = say("1 task") if len(document.blueprint.tasks) == 1 else say("{n} tasks", n=len(document.blueprint.tasks))
    parts = [f"<h1>{escape(system.title)}</h1>",
             f'<p class="grey">{source} · {escape(say("on {data}", data=data))} · {tasks} · blueprint '
             f"{document.blueprint.hash}</p><p>{escape(say(system.story))}</p>{_edited(document, translate)}",
             to_svg(drawn(document, inside, translate), colours), to_svg(counted(count, translate), colours)]
    parts += _results(run, say) if run else []
    parts += _changed(document, say) + _advised(document, say)
    rows = [(each["path"], each["kind"], _Number(whole(each["parameters"])), each["working"],
             _Number(whole(each["flops"] + each["flops_once"]) + f" {say('once')}" * bool(each["flops_once"])),
             each["flops_working"], counts.shaped(each)) for each in counts.parts(document.blueprint, schema)]
    told = say("{n} parameters, {tables} of them in tables; {flops} per example.", n=whole(count.parameters),
               tables=whole(count.embedding), flops=work(count, say))
    once = f" {say('{flops} once a pass, for the items', flops=flops(count.once))}." if count.once else ""
    parts += [f"<h2>{say('Every part')}</h2>", f"<p>{told}{once}</p>",
              _table(map(say, ("part", "kind", "parameters", "arithmetic", "FLOPs", "their arithmetic", "shape")), rows)]
    parts += _memory(document, count, say) + _sizes(document, say) + _facts(document, say)
    return (f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
            f'<title>{escape(system.title)} · RankZoo</title><meta name="viewport" content="width=device-width">'
            f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts)
            + f'\n<p class="grey">{say("Made by RankZoo.")}</p></body></html>\n')


def _in_words(translate: Callable[[str], str], text: str, /, **values: object) -> str:
    """A text in the reader's language, filled with values."""
    found = translate(text)
    return found.format(**values) if values else found


def _results(run: Run, say: Callable[..., str]) -> list[str]:
    """What the run reached on the test part, beside the generator's own scores."""
    found, known = run.outcome.get("metrics", {}).get("test", {}), run.outcome.get("oracle", {})
    best = lambda task, name: known[task].get(f"{name}_served", known[task].get(name)) if task in known else None  # noqa: E731
    rows = [(task, name, _Number(fixed(value, 4)), _Number(fixed(best(task, name), 4)))
            for task, values in found.items() for name, value in values.items()]
    said = say("Run {n}: {steps} steps, {examples} examples, {seconds} s. What could be known is the score of the generator's "
               "own probabilities, as far as a server can have them.", n=run.number, steps=whole(run.outcome.get("steps")),
               examples=whole(run.outcome.get("examples")), seconds=fixed(run.outcome.get("seconds"), 1))
    return [f"<h2>{say('On the test rows')}</h2>", f"<p>{escape(said)}</p>",
            _table(map(say, ("task", "metric", "this model", "what could be known")), rows)]


def _edited(document: Document, translate: Callable[[str], str]) -> str:
    """What makes the model another than the story's, in a line; the table below has every setting."""
    changed = differences(document, translate, SHOWN)
    return f"<p><b>{escape(translate('Changed from the preset:'))}</b> {escape(changed)}</p>" if changed else ""


def _changed(document: Document, say: Callable[..., str]) -> list[str]:
    """Every setting that differs from the source's preset."""
    now = dict(leaves(document.blueprint.model_dump(mode="json")))
    before = dict(leaves(document.unchanged().blueprint.model_dump(mode="json")))
    rows = [(path, _said(before.get(path)), _said(now.get(path))) for path in document.changed()]
    return [f"<h2>{say('Changed from the preset')}</h2>", _table(map(say, ("setting", "preset", "here")), rows)] if rows else []


def _advised(document: Document, say: Callable[..., str]) -> list[str]:
    found = advice(document.blueprint, document.schema())
    items = "".join(f"<li>{escape(each.said(say))} <code>{escape(each.at)}</code></li>" for each in found)
    return [f"<h2>{say('What an expert would object to')}</h2><ul>{items}</ul>"] if found else []


def _memory(document: Document, count: Count, say: Callable[..., str]) -> list[str]:
    """What each component and all together take in training, term by term; of serving the weights."""
    batch = document.settings.batch_size
    own = {place.address: place.spec.count(place.shape) for place in document.blueprint.places(document.schema())}
    rows = [(address, say(term.what), term.working, _Number(memory(term.bytes)))
            for address, each in {**own, say("all"): count}.items() for term in held(each, batch)]
    told = say("In float32, with batches of {batch}. Serving holds the weights.", batch=whole(batch))
    return [f"<h2>{say('Memory')}</h2>", f"<p>{told}</p>",
            _table(map(say, ("component", "what", "bytes", "in all")), rows)]


def _sizes(document: Document, say: Callable[..., str]) -> list[str]:
    """What it takes here and as large as in industry."""
    sizes = [Scaled("this app", document.blueprint, document.schema(), 1), document.industry()]
    found = [costs(each, document.settings.batch_size) for each in sizes]
    rows = [(say(NAMES.get(name, name)), *(_Number(words(each[name])) for each in found))
            for name, words in ({"parameters": size} | COSTS).items()]
    rows += [(f"{each.at} = {each.said}", "",
              f"{say(each.fact.tag)}: {say(each.fact.value)} ({each.fact.place})") for each in sizes[1].sizes]
    said = say("Counted, not built; tables of ids of which no source tells are {factor} times as long. Training holds the "
               "activations of a batch of {batch} too, those of the items that it encodes among them; a card holds {card}.",
               factor=whole(sizes[1].factor), batch=whole(document.settings.batch_size), card=memory(CARD))
    return [f"<h2>{say('As large as in industry')}</h2>", f"<p>{said}</p>",
            _table(["", say("this app"), say("industry")], rows)]


def _facts(document: Document, say: Callable[..., str]) -> list[str]:
    rows = [(*(say(text) if text else "" for text in (fact.name, fact.value)), f"{say(fact.tag)}: {say(MEANING[fact.tag])}",
             fact.source.short if fact.source else "", *(say(text) if text else "" for text in (fact.at, fact.why)))
            for fact in document.system.facts]
    return [f"<h2>{say('Where the values are from')}</h2>",
            _table(map(say, ("what", "value", "how sure", "source", "place", "why")), rows)]


class _Number(str):
    """A cell that stands to the right."""


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    cell = lambda each: f'<td class="n">{escape(each)}</td>' if isinstance(each, _Number) else f"<td>{escape(each)}</td>"  # noqa: E731
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead><tbody>{body}</tbody></table>"


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(each)}" for name, each in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value)) or "none"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
