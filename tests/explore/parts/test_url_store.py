"""Parts on shared file systems: every promise of files in a folder, by fsspec."""

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archsim.errors import OutputError
from archsim.explore import Space, explore
from archsim.explore.parts import url_store
from archsim.explore.parts.stores import address_of_parts, check_address, open_store
from archsim.explore.ranges import range_search
from archsim.explore.results.write_results import write_results
from tests.explore.conftest import Write
from tests.explore.parts.test_parts import MANY
from tests.explore.parts.test_ranges import MODULE, by_designs, results, whole
from tests.optional import need
from tests.rings import exhaustive

need("pyarrow")
fsspec: Any = need("fsspec")
memory: Any = need("fsspec.implementations.memory")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 100 points, in jobs of 30."""
    monkeypatch.setattr(MODULE, "PART_POINTS", 100)
    monkeypatch.setattr(range_search, "FIRST_JOB", 30)
    monkeypatch.setattr(range_search, "MOST_IN_JOB", 30)
    monkeypatch.setattr(range_search, "JOB_SECONDS", 1e9)


class Bucket(memory.MemoryFileSystem):  # type: ignore[misc]
    """An object store: no folders of its own, and errors that are nobody else's. It fails where `fails` says."""

    protocol = "bucket"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    fails = ""

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("bucket://", "memory://")))

    def makedirs(self, path: str, exist_ok: bool = False) -> None: ...

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        if Bucket.fails and Bucket.fails in path:
            raise RuntimeError("SlowDown: please\nreduce your rate")
        super().pipe_file(path, value, **options)


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> type[Bucket]:
    """The object store, empty, known by its protocol."""
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    Bucket.store.clear()
    monkeypatch.setattr(Bucket, "fails", "")
    return Bucket


def without_parts(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in results(folder).items() if not name.endswith((".parquet", "elsewhere.json"))}


def test_an_object_store_has_the_same_parts(write: Write, tmp_path: Path, bucket: type[Bucket]) -> None:
    path, out = write(*MANY), tmp_path / "b" / "out"
    study = whole(path, out, parts="bucket://mine/")
    plain = by_designs(path, tmp_path / "a" / "out")
    stored = {name.rsplit("/", 1)[1]: file.getvalue() for name, file in bucket.store.items()}
    files = {file.name: file.read_bytes() for file in (tmp_path / "a" / "out" / "parts").glob("*.parquet")}
    assert stored == files
    assert without_parts(out) == without_parts(tmp_path / "a" / "out")
    assert list(study.points) == list(plain.points)
    again = whole(path, out, resume=True)
    assert again.simulated == 0
    bucket.store[next(name for name in bucket.store if "part-000000" in name)].write(b"damaged")
    mended = whole(path, out, resume=True, parts="bucket://mine")
    assert (mended.dropped_parts, mended.simulated > 0) == (1, True)
    assert without_parts(out) == without_parts(tmp_path / "a" / "out")
    (note,) = write_results(mended, out, plots=False)
    assert "evenly spaced; bucket://mine/out-" in note


@exhaustive
def test_a_shared_folder_is_written_by_other_processes(write: Write, tmp_path: Path) -> None:
    path, out, shared = write(*MANY), tmp_path / "b" / "out", tmp_path / "shared"
    shared.mkdir()
    whole(path, out, parts=f"file://{shared}", workers=2)
    by_designs(path, tmp_path / "a" / "out")
    (mine,) = shared.iterdir()
    expected = {file.name: file.read_bytes() for file in (tmp_path / "a" / "out" / "parts").glob("*.parquet")}
    assert {file.name: file.read_bytes() for file in mine.iterdir()} == expected
    assert without_parts(out) == without_parts(tmp_path / "a" / "out")


@pytest.mark.parametrize("what", ["pieces/part-000001", "part-000000.parquet", "pieces/part-000000"])
def test_a_store_that_fails_ends_in_a_line_and_then_it_goes_on(
    write: Write, tmp_path: Path, bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path, out = write(*MANY), tmp_path / "b" / "out"
    if what != "pieces/part-000001":
        path = write(*MANY, ("activation.lanes: [1, 2, 3, 4]", "activation.lanes: [1, 2, 3]"))
    name = what.rsplit("/", 1)[-1]
    monkeypatch.setattr(bucket, "fails", what.replace(name, f".{name}"))
    with pytest.raises(OutputError) as caught:
        whole(path, out, parts="bucket://mine")
    assert "cannot be written: RuntimeError: SlowDown: please" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(".partial" in name for name in bucket.store)
    monkeypatch.setattr(bucket, "fails", "")
    study = whole(path, out, resume=True)
    plain = by_designs(path, tmp_path / "a" / "out")
    assert without_parts(out) == without_parts(tmp_path / "a" / "out")
    if what == "pieces/part-000001":  # the whole part 0 and nothing else was there
        assert study.simulated < plain.simulated


def test_files_are_whole_or_not_there_and_no_more_is_read_than_allowed(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store("bucket://some/where")
    assert store.names() == set()
    seen: list[set[str]] = []
    store.write("a", b"12345", lambda: seen.append({name for name in store.names() if not name.startswith(".")}))
    assert (seen, store.names(), store.read("a")) == ([set()], {"a"}, b"12345")
    monkeypatch.setattr(url_store, "MOST_PART_BYTES", 4)
    with pytest.raises(OSError, match="larger than 4 bytes, the most that is read"):
        store.read("a")
    store.remove("a")
    store.remove("a")
    with pytest.raises(FileNotFoundError):
        store.read("a")


def test_where_parts_are_is_said_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    address = address_of_parts(out, "bucket://mine")
    assert address.startswith("bucket://mine/out-")
    assert address_of_parts(out, None) == address == address_of_parts(out, "bucket://mine/")
    with pytest.raises(OutputError, match="are at bucket://mine/out-.*; leave the option out"):
        address_of_parts(out, "bucket://other")
    (out / "parts" / "elsewhere.json").write_text("[]")
    with pytest.raises(OutputError, match="does not say where the parts are"):
        address_of_parts(out, None)
    here = tmp_path / "here"
    (here / "parts").mkdir(parents=True)
    assert address_of_parts(here, None) == str(here / "parts")
    with pytest.raises(OutputError, match="are in that folder already"):
        address_of_parts(here, "bucket://mine")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("somewhere", "expected an address with a protocol"),
        ("nothing://here", "--parts nothing://here: Protocol not known: nothing"),
        ("file:///dev/null/here", "--parts file:///dev/null/here: cannot be written: "),
        ("bucket://closed", "--parts bucket://closed: cannot be written: RuntimeError: SlowDown: please"),
    ],
)
def test_addresses_that_are_none_leave_nothing(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    """So the next try, with the right address, needs no --resume."""
    monkeypatch.setattr(Bucket, "fails", "closed/")
    with pytest.raises(OutputError, match=message):
        whole(write(*MANY), tmp_path / "out", parts=address)
    assert not (tmp_path / "out").exists()
    assert Bucket.store == {}


def test_a_right_address_is_left_as_it_was(bucket: type[Bucket]) -> None:
    check_address("bucket://mine/")
    assert bucket.store == {}


def test_few_points_have_no_parts(write: Write, tmp_path: Path) -> None:
    space = Space.load(write(*MANY)).with_budget(100)
    for out in (tmp_path / "out", None):
        with pytest.raises(OutputError, match="only more than 100 points, with a folder, are kept in parts"):
            explore(space.with_budget(100 if out else 200), out=out, parts="bucket://mine", prune=False)


def test_without_fsspec_one_line_says_what_is_needed(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(OutputError, match=r'needs the package fsspec: pip install "archsim\[shared\]"'):
        whole(write(*MANY), tmp_path / "out", parts="bucket://mine")
