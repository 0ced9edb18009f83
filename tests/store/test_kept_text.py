"""Text in a file: made once, and again if the file was damaged."""

from pathlib import Path

from ntk_mnist.store.kept_text import kept_text

TEXT = "// é\nf('</script>')\n"


class Made:
    """Makes the text, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return TEXT


def test_text_is_made_once(tmp_path: Path) -> None:
    made = Made()
    for _ in range(3):
        assert kept_text(tmp_path / "new/text", made) == TEXT
    assert made.times == 1


def test_each_file_has_its_own_text(tmp_path: Path) -> None:
    assert kept_text(tmp_path / "one", Made()) == TEXT
    assert kept_text(tmp_path / "other", lambda: "x") == "x"


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    made, file = Made(), tmp_path / "text"
    kept_text(file, made)
    whole = file.read_bytes()
    # Every byte but one of the line's end, which is as good as another.
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        assert kept_text(file, made) == TEXT
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert kept_text(file, made) == TEXT
    assert file.read_bytes() == whole
