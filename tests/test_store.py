"""The run store: no run is lost, nobody touches another's, and a damaged file costs nothing but a sentence."""
from __future__ import annotations

import json
import math
import re
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.runs import limits, line, process
from rankzoo.runs.database import Busy, Database, Unstored
from rankzoo.runs.ids import ALPHABET, matched, new_id
from rankzoo.runs.lease import Ending, Lease, Lost
from rankzoo.runs.store import Store
from rankzoo.runs.tables import STATES, Point, meta, metadata, run
from rankzoo.runs.upkeep import retain
from tests.test_checkpoint import files_at_most

DOCUMENT = Document.preset("lr").but([("settings.rows", 500)])
UNKNOWN = "There is no such run on this server."


def seeded(seed: int) -> Document:
    return DOCUMENT.but([("settings.seed", seed)])


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "home", limits.LOCAL)
    yield opened
    opened.db.close()


def shared(store: Store, **changes: object) -> Store:
    return Store(store.root, replace(limits.CLASS, **changes))


def test_a_run_is_kept_as_it_was_submitted(store):
    id = store.submit(DOCUMENT, "ann")
    found = Store(store.root, limits.LOCAL).run(id)
    assert (found.owner, found.arch, found.data, found.seed) == ("ann", "lr", DOCUMENT.data, 0)
    assert (found.state, found.attempt, store.notice()) == ("queued", 1, "")
    assert Document.parse(found.config) == DOCUMENT
    record = json.loads(store.folder(id).record.read_text())
    assert Document.of(record["document"]) == DOCUMENT and record["run"]["state"] == "queued" and record["versions"]["torch"]


def test_every_commit_is_synced(store):
    pragmas = [store.db.read(lambda c, p=p: c.exec_driver_sql(f"PRAGMA {p}").scalar())
               for p in ("journal_mode", "synchronous", "busy_timeout")]
    assert pragmas == ["wal", 2, 10_000]


def test_pressing_twice_starts_one_run(store):
    """Eight presses at once, half of them through another opened store, as two tabs in two processes would."""
    stores = [store, Store(store.root, limits.LOCAL)]
    ids: list[str] = []
    presses = [threading.Thread(target=lambda i=i: ids.append(stores[i % 2].submit(DOCUMENT, "ann"))) for i in range(8)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert len(ids) == 8 and len(set(ids)) == 1
    assert [each.name for each in (store.root / "runs").iterdir()] == [ids[0]]
    assert store.submit(seeded(1), "ann") != ids[0] != store.submit(DOCUMENT, "bob")
    store.wish(ids[0], "cancel", "ann")
    assert store.submit(DOCUMENT, "ann") != ids[0], "a run that ended may be made again"


def test_ids_are_random_and_of_one_form():
    ids = {new_id() for _ in range(2000)}
    assert len(ids) == 2000 and all(matched(id) == id for id in ids)
    assert set("".join(ids)) == set(ALPHABET) and not set("ilou") & set(ALPHABET)


@pytest.mark.parametrize("id", ["", "a", "../../etc/passwd", "..\\..\\x", "/etc/passwd", "' OR '1'='1", "0123456789abcde%",
                                "0123456789abcdef\n", "0123456789ABCDEF", "0123456789abcdei", "0123456789abcde\0", "*" * 16,
                                "٠١٢٣٤٥٦٧٨٩abcdef", None, 7, "0" * 17, "0123456789abcdef"])
def test_malformed_and_unknown_get_the_same_words(store, id):
    store.submit(DOCUMENT, "ann")
    asks = (store.run, store.folder, store.points, store.events) if id != "0123456789abcdef" else (store.run,)
    for ask in asks:
        with pytest.raises(ZooError, match=f"^{re.escape(UNKNOWN)}$"):
            ask(id)
    for ask in (lambda: store.wish(id, "cancel", "ann"), lambda: store.delete(id, "ann")):
        with pytest.raises(ZooError, match=f"^{re.escape(UNKNOWN)}$"):
            ask()
    assert len(store.runs()) == 1


def test_in_a_class_only_the_owner_may_touch_a_run(store):
    id = store.submit(DOCUMENT, "ann")
    ours = shared(store)
    asks = [lambda what=what: ours.wish(id, what, "bob") for what in ("pause", "cancel", "resume")]
    for ask in (*asks, lambda: ours.delete(id, "bob")):
        with pytest.raises(ZooError, match="Only the person who started this run"):
            ask()
    assert ours.run(id).state == "queued" and ours.runs("bob") == []
    ours.wish(id, "pause", "ann")
    store.wish(id, "resume", "bob")
    assert store.run(id).state == "queued", "on one's own machine everyone may"


# From which state a request that no process has to answer leads where; every pair that is not here is refused.
LEADS = {("queued", "cancel"): "cancelled", ("paused", "cancel"): "cancelled", ("queued", "pause"): "paused",
         ("paused", "resume"): "queued", ("interrupted", "resume"): "queued", ("failed", "resume"): "queued",
         ("cancelled", "cancel"): "cancelled", ("paused", "pause"): "paused", ("queued", "resume"): "queued",
         ("running", "cancel"): "cancelled", ("running", "pause"): "paused", ("running", "resume"): "running"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", ["cancel", "pause", "resume"])
def test_requests_lead_where_they_should(store, state, what):
    id = store.submit(DOCUMENT, "ann")
    store.change(id, {"state": state, "lease": "1-2-gone" if state == "running" else "", "attempt": 2}, "test", "")
    if (state, what) in LEADS:
        store.wish(id, what, "ann")
        assert store.run(id).state == LEADS[state, what]
    else:
        with pytest.raises(ZooError, match=f"This run is {state}, so it cannot be "):
            store.wish(id, what, "ann")
        assert store.run(id).state == state
    assert json.loads(store.folder(id).record.read_text())["run"]["state"] == store.run(id).state


def test_a_process_that_holds_the_run_is_asked(store):
    id = store.submit(DOCUMENT, "ann", lease=process.holder())
    held = Lease.take(store, id)
    for what, seen in (("pause", "pause"), ("cancel", "cancel"), ("resume", "")):
        store.wish(id, what, "ann")
        assert (held.wish(), store.run(id).state) == (seen, "running")
    with pytest.raises(ZooError, match="cannot be 'explode'|not 'explode'"):
        store.wish(id, "explode", "ann")


def test_a_request_finds_a_run_that_a_worker_just_took(store, monkeypatch):
    """Between the look and the change the run goes from queued to running: the request then goes to the process."""
    id, fulfil = store.submit(DOCUMENT, "ann"), store._fulfil

    def late(found, what):
        Lease.take(store, id)
        return fulfil(found, what)

    monkeypatch.setattr(store, "_fulfil", late)
    store.wish(id, "pause", "ann")
    assert (store.run(id).state, store.run(id).wish) == ("running", "pause")


def test_a_store_that_another_process_holds_is_busy_not_broken(store, monkeypatch):
    store.submit(seeded(1), "ann")
    other = sqlite3.connect(store.db.path, isolation_level=None)
    monkeypatch.setattr("rankzoo.runs.database.WAIT_MS", 50)
    store.db.close()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="nothing was started: the store is busy. Try again in a moment."):
        store.submit(DOCUMENT, "ann")
    assert len(store.runs()) == 1, "reading goes on"
    other.execute("COMMIT")
    other.close()
    assert store.run(store.submit(DOCUMENT, "ann")).state == "queued"


def test_a_home_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unstored, match=r"The folder of the run store cannot be made \(.*\). Choose another"):
        Store(tmp_path / "file" / "home", limits.LOCAL)


def test_deleting_leaves_nothing(store):
    id = store.submit(DOCUMENT, "ann", lease=process.holder())
    held = Lease.take(store, id)
    held.report([Point(1, "loss", 1.0)], 1, 1)
    with pytest.raises(ZooError, match="Cancel it first"):
        store.delete(id, "ann")
    held.end(Ending("cancelled"))
    store.delete(id, "ann")
    assert store.runs() == [] and store.points(id) == [] and store.events(id) == [] and not store.folder(id).path.exists()


def test_points_come_in_order_and_again_after_a_resume(store):
    id = store.submit(DOCUMENT, "ann", lease=process.holder())
    held = Lease.take(store, id)
    held.report([Point(0, "b", 0.1 + 0.2), Point(0, "a", math.nan), Point(4, "a", -math.inf)], 4, 1)
    held.report([Point(4, "a", 2.0), Point(9, "a", 3.0)], 9, 2)
    points = store.points(id)
    assert [(p.step, p.name) for p in points] == [(0, "a"), (0, "b"), (4, "a"), (9, "a")]
    assert math.isnan(points[0].value) and points[1].value == 0.1 + 0.2 and points[2].value == 2.0
    assert store.points(id, since=5) == [Point(9, "a", 3.0)]
    assert (store.run(id).step, store.run(id).epoch) == (9, 2)


def test_a_process_that_lost_the_run_changes_nothing(store):
    id = store.submit(DOCUMENT, "ann", lease=process.holder())
    held = Lease.take(store, id)
    store.change(id, {"lease": "somebody else's", "step": 5}, "test", "")
    for write in (lambda: held.report([Point(1, "a", 1.0)], 1, 1), held.wish, lambda: held.plan(7, 7)):
        with pytest.raises(Lost):
            write()
    assert held.end(Ending("done", digest="false")) is False
    found = store.run(id)
    assert (found.state, found.step, found.digest, store.points(id)) == ("running", 5, "", [])


def test_only_one_process_holds_a_run(store):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lease = process.holder(other.pid)
        assert process.living(lease) and process.living(process.holder())
        assert not process.living(lease.replace(str(other.pid), str(other.pid + 1), 1)) and not process.living("")
        id = store.submit(DOCUMENT, "ann", lease=lease)
        with pytest.raises(ZooError, match="already being trained by process"):
            Lease.take(store, id)
    finally:
        other.communicate(b"\n")
    assert not process.living(lease)
    assert Lease.take(store, id).run.lease == process.holder()


def _noise(path):
    path.write_bytes(b"This is not a database. " * 400)


def _cut(path):
    path.write_bytes(path.read_bytes()[:6000])


def _hole(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def _tables_gone(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE run")
    connection.close()


def _emptied(path):
    path.write_bytes(b"")


def _gone(path):
    path.unlink()


@pytest.mark.parametrize("harm", [_noise, _cut, _hole, _tables_gone, _gone, _emptied])
@pytest.mark.parametrize("while_open", [False, True])
def test_a_damaged_store_is_rebuilt_from_the_runs(store, harm, while_open):
    running = store.submit(seeded(1), "ann", lease=process.holder())
    held = Lease.take(store, running)
    held.report([Point(1, "loss", 0.5), Point(2, "loss", math.nan)], 2, 1)
    queued = store.submit(DOCUMENT, "bob")
    folder = store.root / "runs" / new_id()
    folder.mkdir()
    (folder / "run.json").write_text('{"run": {"id": "' + folder.name + '", "step": {}}, "document": 3}')
    (store.root / "runs" / "notes").mkdir()
    store.db.close()
    if while_open:
        assert len(store.runs()) == 2
    harm(store.db.path)
    again = Store(store.root, limits.LOCAL)
    assert [each.id for each in again.runs()] == [queued, running], "in their old order"
    assert (again.run(running).owner, again.run(queued).config) == ("ann", DOCUMENT.json())
    assert [(p.step, p.name) for p in again.points(running)] == [(1, "loss"), (2, "loss")]
    assert re.search(r"It was rebuilt: 2 runs were found\.", again.notice())
    aside = sorted(each.name for each in store.root.glob("runs.sqlite.damaged-*"))
    if harm in (_noise, _cut, _hole, _tables_gone):
        assert aside and aside[0] in again.notice(), "what was damaged is kept"
    held.report([Point(3, "loss", 0.25)], 3, 1)  # through the store that was opened before
    assert again.points(running, since=3) == [Point(3, "loss", 0.25)], "the process that trains it goes on"


def test_a_migration_keeps_a_copy_and_a_newer_store_is_refused(tmp_path):
    path = tmp_path / "runs.sqlite"
    old = Database(path, lambda c: 0)
    old.write(lambda c: c.execute(meta.insert().values(key="colour", value="green")))
    old.close()
    steps = {1: ("ALTER TABLE run ADD COLUMN note TEXT DEFAULT 'x'",), 2: ()}
    new = Database(path, lambda c: 0, version=3, migrations=steps)
    assert new.read(lambda c: c.execute(select(meta.c.value).where(meta.c.key == "version")).scalar()) == "3"
    assert new.read(lambda c: c.exec_driver_sql("SELECT count(note) FROM run").scalar()) == 0
    new.close()
    with sqlite3.connect(tmp_path / "runs.sqlite.version-1") as copy:
        assert dict(copy.execute("SELECT key, value FROM meta").fetchall()) == {"version": "1", "colour": "green"}
    copy.close()
    with pytest.raises(ZooError, match=r"its version is 3, this one reads 1.*Update RankZoo"):
        Database(path, lambda c: 0).read(lambda c: None)


def test_without_room_nothing_is_started(store):
    full = shared(store, free=10**18)
    with pytest.raises(Unstored, match=r"could not be stored, nothing was started \([\d,]+ MB are free; the limit is"):
        full.submit(DOCUMENT, "ann")
    store.submit(seeded(1), "ann")
    for room in (500, store.db.path.with_name("runs.sqlite-wal").stat().st_size + 100):
        with files_at_most(room), pytest.raises(Unstored, match="could not be stored, nothing was started"):
            store.submit(DOCUMENT, "ann")
        assert len(store.runs()) == 1 and len(list((store.root / "runs").iterdir())) == 1
    assert store.run(store.submit(DOCUMENT, "ann")).state == "queued", "no restart is needed once there is room"


def test_only_the_newest_ended_runs_of_each_person_are_kept(store):
    ids = {owner: [store.submit(seeded(i), owner) for i in range(4)] for owner in ("ann", "bob")}
    for id in ids["ann"][:3] + ids["bob"][:1]:
        store.change(id, {"state": "done", "bytes": 1000}, "test", "")
    assert retain(shared(store, kept=2)) == ids["ann"][:1]
    assert retain(shared(store, stored=2000)) == ids["ann"][1:2], "the oldest goes first"
    assert {each.id for each in store.runs()} == set(ids["ann"][2:] + ids["bob"])
    assert not store.folder(ids["ann"][0]).path.exists()


def test_limits_of_a_class_say_both_numbers(store):
    ours = shared(store)
    for i in range(3):
        ours.submit(seeded(i), "ann")
    with pytest.raises(ZooError, match="You have 3 runs queued or running; the limit is 3."):
        ours.submit(seeded(3), "ann")
    assert ours.submit(seeded(1), "ann"), "the same run again is no further run"
    with pytest.raises(ZooError, match="3 runs are waiting; the limit is 3."):
        shared(store, waiting=3).submit(seeded(0), "bob")
    for change, said in (((("settings.rows", 300_000),), "300,000 rows; the limit is 200,000."),
                         ((("towers.widths", [8192, 8192]),), r"[\d,]+ parameters; the limit is 20,000,000.")):
        with pytest.raises(ZooError, match=said):
            ours.submit(Document.preset("wide_deep").but(change), "eve")
    assert ours.runs("eve") == []


def test_a_run_that_cannot_fit_the_time_is_refused_with_the_numbers(store):
    ours = shared(store)
    once = DOCUMENT.but([("settings.epochs", 2), ("settings.patience", 0)])
    id = ours.submit(once, "ann")
    ours.change(id, {"state": "done", "step": 8, "steps": 8, "spent": 2.0}, "test", "")
    long = once.but([("settings.epochs", 1000)])
    with pytest.raises(ZooError, match="1,000 epochs need about 1,000 s here; the limit is 120 s."):
        ours.submit(long, "ann")
    for change in (("settings.patience", 5), ("settings.steps", 100), ("settings.rows", 600)):
        fits = long.but([change])
        assert ours.run(ours.submit(fits, fits.hash)).state == "queued", "it may end early, or nothing is known of its speed"


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("RANKZOO_PROFILE", "class")
    assert limits.profile() is limits.CLASS
    monkeypatch.setenv("RANKZOO_PROFILE", "")
    assert limits.profile() is limits.LOCAL
    monkeypatch.setenv("RANKZOO_PROFILE", "klass")
    with pytest.raises(ZooError, match="Unknown profile 'klass'. Did you mean 'class'?"):
        limits.profile()


def test_the_line_is_fair(store):
    """A hoarder with four runs does not stand before those who queued one later, and time used comes before age."""
    hoard = [store.submit(seeded(i), "hoarder") for i in range(4)]
    ann, bob = store.submit(DOCUMENT, "ann"), store.submit(DOCUMENT, "bob")
    queued = store.select(run.c.state == "queued")
    assert [each.id for each in line.order(queued, {}, 10.0)] == [hoard[0], ann, bob, *hoard[1:]]
    later = line.order(queued, {"hoarder": 5.0, "ann": 24.0}, 10.0)
    assert [each.id for each in later] == [bob, hoard[0], hoard[1], ann, *hoard[2:]]
    running = [store.run(hoard[0])]
    startable = line.startable(line.order(queued[:-1], {}, 10.0), running, limit=1)
    assert [each.id for each in startable] == [ann, bob]
    place = line.place(store, bob, workers=1)
    assert (place.position, place.waiting, place.seconds) == (3, 6, 2 * line.GUESS)
    assert line.place(store, hoard[0], workers=1).seconds == 0.0 and line.place(store, "0" * 16, workers=1) is None


def test_time_used_counts_the_last_five_minutes_only(store):
    id = store.submit(DOCUMENT, "ann", lease=process.holder())
    began = store.run(id).began
    for at, seconds in ((began - 400, 50.0), (began - 280, 100.0), (began - 10, 30.0)):
        store.note(id, "ran", str(seconds))
        store.db.write(lambda c, at=at: c.exec_driver_sql(
            "UPDATE event SET at = ? WHERE number = (SELECT max(number) FROM event)", (at,)))
    # of the middle stretch 20 s lie within the window, of the last one all 30 s; the run itself has worked for 7 s
    assert line.used(store, now=began + 7)["ann"] == pytest.approx((300 - 287) + 30 + 7)


def test_uploads_are_noted_once(store):
    store.add_dataset("a" * 16, "ann", "mine.csv", 10, 3)
    store.add_dataset("a" * 16, "bob", "other.csv", 10, 3)
    assert store.datasets("ann") == [{"hash": "a" * 16, "owner": "ann", "name": "mine.csv", "rows": 10, "columns": 3}]
    assert store.datasets("bob") == []


def test_the_tables_are_those_of_the_contract():
    assert set(metadata.tables) == {"run", "point", "event", "dataset", "meta"}
