"""ZooError: what a person did that cannot work, and how to mend it, in one or two plain sentences."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Change = tuple[str, object]
Cure = tuple[Change, ...]
BOTH = "It gets {comes} and needs {needs}."
"""Said of two shapes that do not fit each other."""


class Said(str):
    """A part of a sentence in English that still knows its template and values, so that it can be said in other words."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Said:
        self = super().__new__(cls, template.format(**values))
        self.template, self.values = template, values
        return self

    def text(self, translate: Callable[[str], str]) -> str:
        """The part in other words, the parts of it too."""
        return translate(self.template).format(**{name: worded(value, translate) for name, value in self.values.items()})


def worded(value: object, translate: Callable[[str], str]) -> object:
    """A value in other words where it is a part of a sentence; else the value."""
    return value.text(translate) if isinstance(value, Said) else value


class ZooError(ValueError):
    """A problem that a person can cause and mend.

    `what` says what was found, `fix` what to do; both are English templates in `str.format` style, filled from
    `values`. `at` is the address of the setting, slot, row or column (`sequence.0.widths`), the same address that
    `--set`, a form key and a trace use. A catalogue may translate the templates before they are filled.

    `cure` are the changes that would mend it, one after the other: the address of a setting and the nearest value that may stand
    there. Who raises it names one at most; what must change with it is found where the whole is known. `comes` and `needs` are
    the two shapes that do not fit each other, as `axes` writes them; where only what is needed was said, the blueprint adds what
    comes. `tried` is what was asked for, as parsed JSON, so that the cure can be put into it. A cure that takes a search is
    looked for when somebody asks for it, once.
    """

    def __init__(self, what: str, fix: str = "", /, *, at: str = "", cure: Change | None = None, comes: str = "", needs: str = "",
                 **values: object):
        super().__init__(what)
        self.what, self.fix, self.at, self.values = what, fix, at, values
        self._cure: Cure = (cure,) if cure else ()
        self._search: Callable[[], Cure] | None = None
        self.comes, self.needs = comes, needs
        self.tried: object = None

    @property
    def cure(self) -> Cure:
        """The changes that would mend it, now at the latest; none where nothing is known that would."""
        if self._search:
            search, self._search = self._search, None
            self._cure = search()
        return self._cure

    @cure.setter
    def cure(self, found: Cure) -> None:
        self._cure, self._search = found, None

    @property
    def sought(self) -> bool:
        """Whether asking for the cure would take a search."""
        return self._search is not None

    def seek(self, search: Callable[[], Cure]) -> None:
        """Have the cure looked for by `search` once somebody asks for it."""
        self._search = search

    @property
    def misfit(self) -> bool:
        """Whether two shapes do not fit each other. What nothing is called has no shape: that nothing comes of it is drawn, and
        the sentence has said so."""
        name = self.values.get("name")
        absent = () if name is None else (f"{name}: {axes(0)}", f"{name}: N × 0")
        return bool(self.comes and self.needs) and not any(each in self.comes for each in absent)

    def text(self, translate: Callable[[str], str] = str, fix: bool = True) -> str:
        """The whole message, or without `fix` only what was found; its templates first pass through `translate`."""
        parts = [self.what, self.fix, BOTH if self.misfit else ""] if fix else [self.what]
        values = {"comes": self.comes, "needs": self.needs, "at": self.at, **self.values}
        values = {name: worded(value, translate) for name, value in values.items()}
        values = {name: seen(value) if isinstance(value, str) else value for name, value in values.items()}
        return " ".join(seen(part.text(translate)) if isinstance(part, Said) else translate(part).format(**values)
                        for part in parts if part)

    def __str__(self) -> str:
        return self.text()


def axes(*sizes: object) -> str:
    """«B × 30 × 48»: sizes behind the rows of a batch, B. A letter stands for a size that may be any: L past items, m vectors, d
    numbers, n of anything."""
    return " × ".join(map(str, ("B", *sizes)))


def seen(text: str) -> str:
    """Text as a sentence may hold it: a sign that cannot be seen, such as a line break, by its escape."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def closest(name: str, known: list[str]) -> str:
    """«Did you mean …?» for a mistyped name, or an empty string where nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return Said("Did you mean '{name}'?", name=near[0]) if near else ""


def nearest(path: str, name: str, known: Iterable[str], cutoff: float = 0.6) -> Change | None:
    """The cure of a mistyped name: the known one that is near, or none; without a cutoff the nearest of all."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return (path, near[0]) if near else None


def listed(names: Iterable[str], most: int = 12) -> str:
    """«a, b and 40 more»: names in a sentence, at most `most` of them; «none» where there are none."""
    known = list(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more if known else "none"
