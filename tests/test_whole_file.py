"""Files appear under their names when they are whole, and only then."""

import errno

import pytest

from lammps_botan.files.whole_file import whole_file


def test_a_file_appears_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "numbers.txt"
    with whole_file(path) as part:
        part.write_text("1 2 3")
        assert not path.exists()
    assert path.read_text() == "1 2 3"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_file_that_was_there(tmp_path, error):
    path = tmp_path / "numbers.txt"
    path.write_text("before")

    def write():
        with whole_file(path) as part:
            part.write_text("1 2")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    def write():
        with whole_file(tmp_path / "numbers.txt") as part:
            part.write_text("1 2")
            raise OSError(errno.ENOSPC, "No space left on device", str(part))

    with pytest.raises(OSError, match=r"No space left on device: '.*numbers\.txt'$"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_reported_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "none" / "numbers.txt"
    with (
        pytest.raises(FileNotFoundError, match=r"numbers\.txt'$"),
        whole_file(path) as part,
    ):
        part.write_text("1")
