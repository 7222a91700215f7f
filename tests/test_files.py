"""Every writer: a file is written whole or not at all, through links, its mode kept, its text visible."""

import contextlib
import errno
import io
import os
import re
import resource
import socket
import stat
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skrationale.explanation import Explanation
from skrationale.flint._describe import AttributeDescription, Descriptions
from skrationale.rationale._audit_report import RationaleAudit
from skrationale.report import make_report

TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HOSTILE = f"a{TURNING}b\x00\x1b\x9f\ud800z"
HIDDEN = re.compile(f"[{TURNING}\x00-\x08\x1b\x7f-\x9f\ud800-\udfff]")


def explain(path, name="age", **parameters):
    e = Explanation(
        [[1.0, 2.0]],
        0,
        display_data=[[name, 1]],
        feature_names=[name, "b"],
        output_names=[name],
        formula=name,
    )
    e.write_html(path, **parameters)
    return e._repr_html_()


def describe(path, name="age", **parameters):
    one = AttributeDescription(
        0, name, True, {name: 1.0}, {name: 0.5}, 0.5, {10: 0.0, 50: 1.0, 90: 2.0}, None, None, None, None
    )
    told = Descriptions([one])
    told.write_html(path, **parameters)
    return told._repr_html_() + one._repr_html_()


def compare(path, name="age", **parameters):
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 1.0, 0.0, 1.0]})
    y = np.arange(4.0)
    model = Ridge().fit(X.to_numpy(), y)
    X.columns = pd.Index([name, "b"], dtype=object)
    with warnings.catch_warnings(action="ignore"):
        return make_report({name: model}, X, y, path, **parameters)._repr_html_()


writers = pytest.mark.parametrize("write", [explain, describe, compare])


@contextlib.contextmanager
def full_disk():
    """Let no file grow beyond 100 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@writers
def test_a_full_disk_leaves_the_old_file_and_nothing_else(write, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    with full_disk(), pytest.raises(OSError, match="too large"):
        write(path)
    assert path.read_text() == "old"
    with full_disk(), pytest.raises(OSError, match="too large"):
        write(tmp_path / "new.html")
    assert names(tmp_path) == ["page.html"]


@writers
@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
def test_an_interrupt_at_any_step_leaves_the_old_file_and_nothing_else(
    write, step, error, tmp_path, monkeypatch
):
    path = tmp_path / "page.html"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise error("stopped")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error, match="stopped"):
        write(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["page.html"]


@writers
def test_the_mode_of_a_file_stays_and_a_new_one_follows_the_umask(write, tmp_path):
    secret, new = tmp_path / "secret.html", tmp_path / "new.html"
    secret.write_text("old")
    secret.chmod(0o600)
    before = os.umask(0o027)
    try:
        write(secret)
        write(new)
    finally:
        os.umask(before)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert secret.read_text().startswith("<!doctype html>")


@writers
def test_a_file_is_never_open_to_more_people_while_it_is_written(write, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(0o600)
    modes = []
    real = os.fsync

    def look(number):
        modes.append(stat.S_IMODE(os.fstat(number).st_mode))
        real(number)

    monkeypatch.setattr(os, "fsync", look)
    write(path)
    assert modes == [0o600]


@writers
def test_links_stay_links(write, tmp_path):
    folder = tmp_path / "far"
    folder.mkdir()
    (folder / "page.html").write_text("old")
    (tmp_path / "link").symlink_to("far/page.html")
    (tmp_path / "chain").symlink_to(tmp_path / "link")
    (tmp_path / "dangling").symlink_to(folder / "absent.html")
    (tmp_path / "to folder").symlink_to(folder)
    for name, real in (
        ("link", "page.html"),
        ("chain", "page.html"),
        ("dangling", "absent.html"),
        ("to folder/more.html", "more.html"),
    ):
        write(tmp_path / name)
        assert (folder / real).read_text().startswith("<!doctype html>")
        (folder / real).write_text("old")
    assert all((tmp_path / name).is_symlink() for name in ("link", "chain", "dangling", "to folder"))
    assert names(folder) == ["absent.html", "more.html", "page.html"]


@writers
def test_what_is_no_regular_file_is_refused(write, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # nobody waits for one
    (tmp_path / "to pipe").symlink_to("pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "to folder").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as own:
        monkeypatch.chdir(tmp_path)  # the names of sockets are short
        own.bind("socket")
        before = names(tmp_path)
        for name, words in (
            ("pipe", "is a pipe"),
            ("to pipe", "is a pipe"),
            ("socket", "is a socket"),
            ("circle", "that leads back to itself"),
        ):
            with pytest.raises(ValueError, match=f"path is .*{words}.*expected a regular file") as caught:
                write(tmp_path / name)
            assert isinstance(caught.value, OSError)
        for name in ("to folder", ".", ""):
            with pytest.raises(IsADirectoryError, match="path is a folder"):
                write(name)
        assert names(tmp_path) == before
        assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    os.close(reader)


@writers
def test_a_path_that_ends_as_a_folder_replaces_no_file(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text("old")
    (tmp_path / "dangling").symlink_to("absent.html")
    before = names(tmp_path)
    for name in ("page.html/", "page.html/.", "new.html/", "new.html//.", "dangling/", f"{tmp_path}/new/"):
        with pytest.raises(
            IsADirectoryError, match="path is .*, which names a folder; expected the path of a file"
        ):
            write(name)
    assert (tmp_path / "page.html").read_text() == "old"
    assert names(tmp_path) == before


@writers
def test_what_cannot_be_a_path_is_named(write, tmp_path):
    for path, error, match in (
        (3, TypeError, "path must be a str or a path. Got int"),
        (b"page.html", TypeError, "path must be a str or a path. Got bytes"),
        ("a\0b", ValueError, "path is 'a.*b', which cannot name a file"),
        ("a\ud800b", ValueError, r"path is 'a\\ud800b', which cannot name a file"),
        (tmp_path / "absent" / "page.html", FileNotFoundError, "the folder '.*absent' does not exist"),
    ):
        with pytest.raises(error, match=match):
            write(path)
    (tmp_path / "file").write_text("old")
    with pytest.raises(FileNotFoundError, match="the folder '.*file' does not exist"):
        write(tmp_path / "file" / "page.html")


@writers
def test_a_file_that_may_not_be_written_is_refused(write, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(0o400)
    if os.access(path, os.W_OK):  # root may do all
        monkeypatch.setattr(os, "access", lambda where, mode: False)
    with pytest.raises(PermissionError, match="without write permission"):
        write(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["page.html"]


@writers
def test_a_folder_that_takes_no_file_is_an_error_of_the_path_given(write, tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("old")

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(io, "open", refuse)
    with pytest.raises(PermissionError, match=r"page\.html"):
        write(tmp_path / "page.html")
    monkeypatch.undo()
    assert (tmp_path / "page.html").read_text() == "old"


@writers
def test_a_page_holds_no_hidden_sign(write, tmp_path):
    card = write(tmp_path / "page.html", HOSTILE, title=HOSTILE)
    page = (tmp_path / "page.html").read_bytes().decode("utf-8")
    for text in (page, card):
        assert not HIDDEN.search(text)
        assert "\ufffd" in text
    assert "<title>a\ufffd" in page


def test_an_audit_shows_no_hidden_sign():
    numbers = dict.fromkeys((field.name for field in fields(RationaleAudit)), 0.5)
    audit = RationaleAudit(
        **numbers
        | {"n_rows": 9, "metric": "AUROC", "rate_by_class": {HOSTILE: 0.5}, "rate_by_predicted_class": {}}
    )
    card = audit._repr_html_()
    assert not HIDDEN.search(card)
    assert "rate in class a\ufffd" in card


@writers
def test_a_wrong_title_leaves_the_old_file(write, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(TypeError, match="title must be a str or None"):
        write(path, title=3)
    assert path.read_text() == "old"


@pytest.mark.parametrize("max_rows", [-1, 1.5, True])
def test_rows_that_cannot_be_counted_are_refused(max_rows, tmp_path):
    with pytest.raises(ValueError, match="max_rows must be an integer of at least 0"):
        explain(tmp_path / "page.html", max_rows=max_rows)
    assert names(tmp_path) == []


@writers
def test_a_relative_path_is_that_of_the_start(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("page.html")
    assert names(tmp_path) == ["page.html"]
    assert Path("page.html").stat().st_size > 500
