"""mongomock made durable: what is in memory is in the file; the index finds what a scan does."""

import random
import threading
import time

import bson
import mongomock
import pytest
from fireworks import Firework, FWAction, FWorker, LaunchPad, ScriptTask, Workflow
from mongomock.collection import Collection
from pymongo.errors import BulkWriteError
from pymongo.operations import DeleteOne, InsertOne, UpdateMany

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.launchpads.document_index import DocumentIndex
from qdcomp.recipes.launchpads.durable_collections import DurableClient

COLLECTIONS = ("things", "fireworks", "workflows", "launches", "fw_id_assigner", "offline_runs")


def make_chain(length=3):
    jobs = []
    for number in range(length):
        task = ScriptTask.from_str("true")
        jobs.append(Firework(task, name=f"job {number}", parents=jobs[-1:], fw_id=number - length))
    return Workflow(jobs, name="chain")


def read_collections(launchpad):
    return {name: list(launchpad.db[name].find({})) for name in COLLECTIONS}


def check_file_equals_memory(launchpad, path):
    with open_launchpad(path, read_only=True) as reader:
        assert read_collections(reader) == read_collections(launchpad)


def test_every_write_method_is_in_the_file_when_it_returns(path):
    with open_launchpad(path) as launchpad:
        things = launchpad.db["things"]
        writes = (
            lambda: things.insert_one({"_id": 0, "n": 0, "list": []}),
            lambda: things.insert_many([{"_id": i, "n": i, "list": []} for i in range(1, 9)]),
            lambda: things.insert_one({"_id": {"a": 1, "b": [2]}, "n": 50}),
            lambda: things.insert_one({"n": 51}),
            lambda: things.update_one({"n": 1}, {"$set": {"deep.er": {"x": [1, 2]}}}),
            lambda: things.update_one({"n": 1}, [{"$set": {"piped": True}}]),
            lambda: things.update_many({"n": {"$gt": 2}}, {"$inc": {"n": 100}}),
            lambda: things.update_many({}, {"$push": {"list": 7}}),
            lambda: things.update_one({"_id": {"a": 1, "b": [2]}}, {"$unset": {"list": ""}}),
            lambda: things.update_one({"_id": "new"}, {"$set": {"n": 5}}, upsert=True),
            lambda: things.replace_one({"_id": 3}, {"n": "replaced"}),
            lambda: things.replace_one({"_id": "newer"}, {"n": 6}, upsert=True),
            lambda: things.find_one_and_update({"_id": 4}, {"$addToSet": {"list": 8}}),
            lambda: things.find_one_and_replace({"_id": 5}, {"n": 9}, upsert=True),
            lambda: things.find_one_and_delete({"_id": 6}),
            lambda: things.delete_one({"n": "replaced"}),
            lambda: things.delete_many({"n": {"$in": [9, 5]}}),
            lambda: things.bulk_write(
                [InsertOne({"_id": 70}), UpdateMany({}, {"$set": {"b": 1}}), DeleteOne({"_id": 0})]
            ),
            lambda: things.create_index("n", unique=True),
            lambda: things.drop_index("n_1"),
            lambda: launchpad.db.drop_collection("things"),
        )
        for write in writes:
            before = read_collections(launchpad)["things"], dict(things._store.indexes)
            write()
            assert (read_collections(launchpad)["things"], dict(things._store.indexes)) != before
            check_file_equals_memory(launchpad, path)


def test_every_operation_of_fireworks_is_in_the_file_when_it_returns(path):
    with open_launchpad(path) as launchpad:
        operations = (
            lambda: launchpad.add_wf(make_chain()),
            lambda: launchpad.bulk_add_wfs([make_chain(2), make_chain(1)]),
            lambda: launchpad.checkout_fw(FWorker(), "/", fw_id=1),
            lambda: launchpad.ping_launch(1),
            lambda: launchpad.complete_launch(1, FWAction(update_spec={"told": 1})),
            lambda: launchpad.append_wf(make_chain(2), [1]),
            lambda: launchpad.reserve_fw(FWorker(), "/", fw_id=2),
            lambda: launchpad.set_reservation_id(2, "queue-7"),
            lambda: launchpad.change_launch_dir(2, "/tmp"),
            lambda: launchpad.cancel_reservation(2),
            lambda: launchpad.pause_fw(3),
            lambda: launchpad.resume_fw(3),
            lambda: launchpad.defuse_wf(4),
            lambda: launchpad.reignite_wf(4),
            lambda: launchpad.set_priority(6, 3),
            lambda: launchpad.update_spec([6], {"a": 1}),
            lambda: launchpad.rerun_fw(1),
            lambda: launchpad.add_offline_run(1, 1, "away"),
            lambda: launchpad.forget_offline(1),
            lambda: launchpad.archive_wf(6),
            lambda: launchpad.delete_wf(4),
            lambda: launchpad.reset("", require_password=False),
        )
        for operation in operations:
            before = read_collections(launchpad)
            operation()
            assert read_collections(launchpad) != before
            check_file_equals_memory(launchpad, path)


def test_a_write_that_fails_leaves_neither_memory_nor_file_changed(path):
    with open_launchpad(path) as launchpad:
        things = launchpad.db["things"]
        things.create_index("n", unique=True)
        things.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}])
        before = read_collections(launchpad)
        for write, message in (
            (lambda: things.insert_one({"_id": 3, "n": 1}), "E11000"),
            (lambda: things.update_one({"_id": 2}, {"$set": {"n": 1}}), "E11000"),
            (lambda: things.replace_one({"_id": 2}, {"n": 1}), "E11000"),
            (lambda: things.replace_one({"_id": 2}, {"_id": 9, "n": 9}), "_id"),
            (lambda: things.update_one({"_id": 2}, {"$set": {"_id": 9}}), "_id"),
            (lambda: things.update_one({"_id": 2}, {"$set": {"n": object()}}), "cannot encode"),
            (lambda: things.insert_one({"_id": 3, "n": {1, 2}}), "cannot encode"),
        ):
            with pytest.raises(Exception, match=message):
                write()
            assert read_collections(launchpad) == before
            check_file_equals_memory(launchpad, path)


def test_the_part_of_a_write_before_its_error_is_kept_as_a_server_does(path):
    with open_launchpad(path) as launchpad:
        things = launchpad.db["things"]
        with pytest.raises(BulkWriteError):
            things.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 1}, {"_id": 3}])
        assert [thing["_id"] for thing in things.find({})] == [1, 2]
        check_file_equals_memory(launchpad, path)


def test_an_interrupt_in_an_operation_undoes_all_of_it(path, monkeypatch):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        launchpad.db["things"].insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}])
        before = read_collections(launchpad)

        def interrupt(*arguments):
            launchpad.db["things"].delete_one({"_id": 1})
            launchpad.db["things"].update_one({"_id": 2}, {"$set": {"n": 3}})
            launchpad.db["things"].insert_one({"_id": 3})
            launchpad.db["things"].create_index("m")
            raise KeyboardInterrupt

        monkeypatch.setattr(launchpad, "_update_wf", interrupt)
        with pytest.raises(KeyboardInterrupt):
            launchpad.checkout_fw(FWorker(), "/")
        monkeypatch.undo()
        by_id = {
            name: sorted(found, key=lambda one: str(one["_id"]))
            for name, found in read_collections(launchpad).items()
        }
        assert by_id == {
            name: sorted(found, key=lambda one: str(one["_id"])) for name, found in before.items()
        }
        assert "m_1" not in launchpad.db["things"].index_information()
        launchpad.checkout_fw(FWorker(), "/")
    with open_launchpad(path) as launchpad:
        assert launchpad.fireworks.find_one({"fw_id": 1})["state"] == "RUNNING"
        assert launchpad.workflows.find_one({"locked": {"$exists": True}}) is None


def test_a_kill_between_the_writes_of_an_operation_leaves_none_of_them(path, monkeypatch):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        _, launch_id = launchpad.checkout_fw(FWorker(), "/")
        seen = []
        original = launchpad._update_wf

        def look(*arguments):  # what a kill at this moment would leave
            with open_launchpad(path, read_only=True) as reader:
                seen.append(read_collections(reader))
            return original(*arguments)

        monkeypatch.setattr(launchpad, "_update_wf", look)
        before = read_collections(launchpad)
        launchpad.complete_launch(launch_id, FWAction())
        assert seen == [before]


def test_indexes_are_in_the_file(path):
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].create_index([("a", 1), ("b", -1)], unique=True)
        names = launchpad.fireworks.index_information()
    assert "fw_id_1" in names
    with open_launchpad(path) as launchpad:
        assert launchpad.fireworks.index_information() == names
        assert launchpad.db["things"].index_information()["a_1_b_-1"]["key"] == [
            ("a", 1),
            ("b", -1),
        ]
        launchpad.db["things"].insert_one({"a": 1, "b": 1})
        with pytest.raises(Exception, match="E11000"):
            launchpad.db["things"].insert_one({"a": 1, "b": 1})


def test_documents_keep_their_order(path):
    numbers = random.Random(3).sample(range(-1000, 1000), 300)
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].insert_many([{"_id": number, "n": 0} for number in numbers])
        launchpad.db["things"].update_many({"_id": {"$gt": 0}}, {"$set": {"n": 1}})
    with open_launchpad(path) as launchpad:
        assert [thing["_id"] for thing in launchpad.db["things"].find({})] == numbers
        positive = [number for number in numbers if number > 0]
        assert [thing["_id"] for thing in launchpad.db["things"].find({"n": 1})] == positive


def test_the_index_finds_what_a_scan_finds():
    rng = random.Random(5)
    values = [None, True, 0, 1, 2, 1.0, 2.5, "1", "a", [1, "a"], [[1]], {"b": 1}, bson.ObjectId()]
    index, documents = DocumentIndex(), {}
    index.add_field("a", documents)
    plain = mongomock.MongoClient().db.things
    for _ in range(300):
        key = rng.randrange(40)
        if key in documents and rng.random() < 0.2:
            del documents[key]
            index.remove(key)
            plain.delete_one({"_id": key})
            continue
        documents[key] = {"_id": key, "a": rng.choice(values), "b": rng.choice(values)}
        index.put(key, documents[key])
        plain.replace_one({"_id": key}, documents[key], upsert=True)
    index.add_field("b", documents)
    wanted = [*values, {"$in": [1, "a"]}, {"$in": []}, {"$in": [None, 2]}, {"$ne": 1}, {"$gt": 0}]
    for a in wanted:
        for b in wanted:
            query = {"a": a, "b": b}
            matching = {document["_id"] for document in plain.find(query)}
            found = index.find(query)
            assert matching <= (set(documents) if found is None else set(found))
    assert len(index.find({"a": "a", "b": 2.5})) < len(documents)
    assert index.find({"c": 1}) is None


def test_queries_answer_as_plain_mongomock_does(path):
    plain = mongomock.MongoClient().db.things
    with open_launchpad(path) as launchpad:
        things = launchpad.db["things"]
        things.create_index("n")
        for collection in (plain, things):
            collection.insert_many(
                [{"_id": i, "n": i % 3, "s": str(i % 2), "d": {"e": i}} for i in range(12)]
            )
            collection.update_many({"n": 1}, {"$set": {"s": "one"}})
        for query in ({"n": 1}, {"n": {"$in": [0, 2]}, "s": "1"}, {"_id": 5}, {"_id": 77}, {}):
            assert list(things.find(query)) == list(plain.find(query))
            assert things.find_one(query, sort=[("d.e", -1)]) == plain.find_one(
                query, sort=[("d.e", -1)]
            )
            assert things.find_one(query, {"s": 1}, skip=1) == plain.find_one(
                query, {"s": 1}, skip=1
            )
            assert things.count_documents(query) == plain.count_documents(query)
        assert things.find_one(5) == plain.find_one(5)
        assert things.distinct("s") == plain.distinct("s")


def test_what_is_read_is_a_copy(path):
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].insert_one({"_id": 1, "list": [1]})
        launchpad.db["things"].find_one({"_id": 1})["list"].append(2)
        content = {"list": [3]}
        launchpad.db["things"].replace_one({"_id": 1}, content)
        content["list"].append(4)
        assert launchpad.db["things"].find_one({"_id": 1}) == {"_id": 1, "list": [3]}


def test_threads_wait_for_each_other(path):
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].insert_one({"_id": 0, "n": 0})

        def add():
            for number in range(25):
                launchpad.db["things"].update_one({"_id": 0}, {"$inc": {"n": 1}})
                launchpad.db["things"].insert_one({"by": threading.get_ident(), "number": number})
                list(launchpad.db["things"].find({"number": number}))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert launchpad.db["things"].find_one({"_id": 0})["n"] == 100
        check_file_equals_memory(launchpad, path)


def test_dates_in_an_order_of_lpad_are_read_as_a_server_reads_them(path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(3))
        launchpad.set_priority(1, 1)
        time.sleep(0.005)  # a database keeps a date to the millisecond
        launchpad.pause_fw(2)  # its updated_on is a date from now on, those of others are texts
        assert launchpad.get_fw_ids(sort=[("updated_on", -1)])[0] == 2
        assert sorted(launchpad.get_wf_ids(sort=[("created_on", 1)])) == [1]


def test_a_mongomock_without_the_methods_that_are_extended_is_refused(monkeypatch):
    monkeypatch.delattr(Collection, "_ensure_uniques")
    with pytest.raises(StoreError, match=r"mongomock .* lacks Collection\._ensure_uniques"):
        DurableClient(None)


def test_what_would_not_be_durable_is_not_there(path):
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].insert_one({})
        with pytest.raises(NotImplementedError):
            launchpad.db["things"].rename("others")
        with pytest.raises(NotImplementedError):
            launchpad.db["things"].with_options(codec_options=bson.CodecOptions(tz_aware=True))


def test_it_has_every_attribute_of_a_launchpad_of_fireworks(path):
    server = LaunchPad(mongoclient_kwargs={"connect": False})
    server.connection.close()
    with open_launchpad(path) as launchpad:
        assert set(vars(server)) <= set(vars(launchpad))
        for name, value in vars(server).items():
            if isinstance(value, type(server.fireworks)):
                assert vars(launchpad)[name].name == value.name
