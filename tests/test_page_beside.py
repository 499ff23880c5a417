"""Beside and back, on the page: what the menu holds and says, what an address asks for in vain, what cannot be put back."""
from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.claims.registry import get
from rankzoo.document import Document
from rankzoo.runs.experiments import Experiments
from rankzoo.runs.loop import run_here
from rankzoo.ui import claims, service
from tests.test_page_architect import DIAGRAM, document, opened
from tests.visits import pick, said, scenes, visit, without_workers

TINY = [("settings.rows", 600), ("settings.epochs", 1), ("settings.batch_size", 64)]


@pytest.fixture(autouse=True)
def idle(monkeypatch, home):
    without_workers(monkeypatch)
    claims.experiments.clear()
    yield
    claims.experiments.clear()


def trained(changes: list) -> str:
    id = service.store().submit(Document.preset("mmoe").but([*TINY, *changes]), "somebody")
    run_here(service.store(), id)
    return id


def notices(app: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in app.info]


def menu(app: AppTest) -> list[str]:
    return list(app.selectbox(key="rz_with_menu").options)


def hold(app: AppTest, *changes: tuple[str, object]) -> AppTest:
    app.session_state["rz_document"] = document(app).but(list(changes))
    return app.run()


def titles(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in app.markdown if ":gray[" in each.value)


def test_a_run_can_be_compared_with_its_own_changed_copy():
    """The run in hand is left out of the menu only while the model in hand is exactly the run's."""
    one, two = trained([]), trained([("sharing.experts", 2)])
    app = visit("architect", run=one)
    assert [each for each in menu(app) if each.startswith("run ")] == ["run 2: MMoE"]
    hold(app, ("sharing.experts", 5))
    assert [each for each in menu(app) if each.startswith("run ")] == ["run 2: MMoE", "run 1: MMoE"]
    app.selectbox(key="rz_with_menu").set_value(f"run.{one}").run()
    assert list(app.dataframe[0].value.iloc[0]) == ["sharing.experts", "5", "4"] and two
    assert "trained, run 1" in titles(app)


def test_what_a_system_stands_on_is_said_as_it_is():
    app = visit("architect", c=link.encode(Document.preset("youtube")), **{"with": "mmoe"})
    assert Document.preset("mmoe").data != document(app).data
    assert "as the zoo has it" not in titles(app) and "on the same data with the same budget" in titles(app)
    app = visit("architect", c=link.encode(Document.preset("youtube")), **{"with": "ple"})
    assert "as the zoo has it" not in titles(app) and "on the same data and tasks" in titles(app)
    app = visit("architect", c=link.encode(Document.preset("ple")), **{"with": "cgc"})
    assert Document.preset("cgc").data == document(app).data and "as the zoo has it" in titles(app)


@pytest.mark.parametrize("arch", ["spotify", "homedepot"])
def test_what_no_rung_stands_for_can_be_compared_with_too(arch, home):
    """What came before it stands first in the menu, trained or not, with how far apart they are over the seeds that were run."""
    claim, app = get(f"grew_{arch}"), opened(arch)
    *arms, own = claim.arms
    assert menu(app)[1:len(claim.arms)] == [f"{arms[0].name}, which it grew out of", *(
        f"{arm.name}, a baseline{'' if arm.model else ' without training'}" for arm in arms[1:])]
    app.selectbox(key="rz_with_menu").set_value(f"before.{arms[0].name}").run()
    assert f"**{arms[0].name}** :gray[on the same data with the same budget" in titles(app) and "two:False" in scenes(app)
    assert "Nothing was run yet" in titles(app) and app.button(key=f"rz_to:{claim.id}")
    for seed in range(2):
        Experiments(home).keep(claim, seed, {arm.name: {"score": 0.1 + 0.01 * seed * (arm is own)} for arm in claim.arms}, 1.0)
    app.selectbox(key="rz_with_menu").set_value(f"before.{arms[-1].name}").run()
    assert "not trained" in titles(app) and "two:False" not in scenes(app) and not app.exception
    assert all(f"{arch} − {arm.name}: 0.0050, 95 % interval" in titles(app) for arm in arms)


@pytest.mark.parametrize("asked", ["netflix", "own.zzz", "run.0123456789ABCDEF", "<b>"])
def test_what_cannot_be_compared_with_is_told_once(asked):
    """One sentence, and the address lets it go: what is shared from here is whole."""
    app = visit("architect", **{"with": asked})
    told, = [each for each in notices(app) if "asks to compare" in each]
    assert asked in told and not app.exception and said(app) == [] and "two:True" not in scenes(app)
    assert "with" not in app.query_params
    assert not [each for each in notices(app.run()) if "asks to compare" in each]
    app.selectbox(key="rz_with_menu").set_value("mmoe").run()
    assert "two:True" in scenes(app)


def test_what_is_no_choice_for_now_is_not_told():
    """Put back, the model is its preset: nothing to compare, no word of it, and none in the address until it differs again."""
    app = hold(opened("mmoe"), ("sharing.experts", 6))
    app.selectbox(key="rz_with_menu").set_value("preset").run()
    app.button("back:all").click().run()
    assert notices(app) == [] and "with" not in app.query_params and "two:True" not in scenes(app)
    assert "two:True" in scenes(hold(app, ("sharing.experts", 6)))


def test_kept_models_can_be_told_apart():
    app = opened("mmoe")
    for path, value in (("sharing.experts", 6), ("sharing.experts", 8), ("settings.lr", 0.5)):
        hold(app, (path, value)).button("keep").click().run()
    hold(app, ("sharing.experts", 2), ("towers.widths", [4])).button("keep").click().run()
    assert [each for each in menu(app) if each.startswith("kept")] == [
        "kept 1: MMoE, Sharing · Experts: 4 → 6", "kept 2: MMoE, Sharing · Experts: 4 → 8",
        "kept 3: MMoE, Sharing · Experts: 4 → 8", "kept 4: MMoE, Sharing · Experts: 4 → 2 …"]


def test_what_cannot_be_put_back_alone_says_why():
    """Pooling for DIN's attention: no candidate to multiply, until the attention is back, and everything else with it."""
    app = pick(opened("din"), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("pooling").run()
    backs = [each.key for each in app.button if each.key.startswith("back:") and each.key != "back:all"]
    assert backs == ["back:sequence.0:False", "back:concatenation.fields:True", "back:concatenation.products:False"]
    before = document(app)
    for key in backs[:0:-1]:
        app.button(key).click().run()
        told, = [each for each in notices(app) if "cannot be put back alone" in each]
        assert document(app) == before and key.split(":")[1] in told and "candidate" in told and said(app) == []
    app.button(backs[0]).click().run()
    assert not [each for each in notices(app) if "alone" in each]
    assert document(app).blueprint == Document.preset("din").blueprint, "what the concatenation lost came back with the attention"
