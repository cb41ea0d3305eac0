"""Model files changed by hand: other code, other parts, one other bit."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from lammps_botan.network.shipped import find_model

CODE = "code/__torch__/lammps_botan/model.py"  # of ka-t064, which an older version wrote


def rewrite(
    target: Path, change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None
) -> Path:
    """ka-t064 with other contents of its parts, and with more parts."""
    with zipfile.ZipFile(find_model("ka-t064")) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            name = item.filename.removeprefix("archive/")
            new.writestr(item.filename, change(name, old.read(item)))
        for name, content in (more or {}).items():
            new.writestr(f"archive/{name}", content)
    return target


def with_line(target: Path, line: str) -> Path:
    """ka-t064 with another line of code in `encode`."""

    def change(name: str, content: bytes) -> bytes:
        if name != CODE:
            return content
        before, after = content.decode().split("  def encode(")
        head, body = after.split("\n", after[: after.index("-> Tuple")].count("\n") + 1)[:-1], ""
        body = after[len("\n".join(head)) + 1 :]
        text = before + "  def encode(" + "\n".join(head) + f"\n    {line}\n" + body
        return text.encode("utf-8")

    return rewrite(target, change)


def with_other_bit(source: Path, target: Path, bit: int) -> Path:
    """A copy of a file with one bit flipped."""
    content = bytearray(source.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    target.write_bytes(bytes(content))
    return target
