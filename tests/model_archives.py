"""Model files changed by hand: other code, other parts, one other bit."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from lammps_botan.files.checksum import add_checksum
from lammps_botan.network.shipped import find_model

CODE = "code/__torch__/lammps_botan/model.py"  # of ka-t064, which an older version wrote


def rewrite(
    target: Path, change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None
) -> Path:
    """ka-t064 with other contents of its parts, and with more parts; torch computes it."""
    with zipfile.ZipFile(find_model("ka-t064")) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            name = item.filename.removeprefix("archive/")
            content = old.read(item)
            if name == "extra/metadata.json":
                content = without_networks(content)
            new.writestr(item.filename, change(name, content))
        for name, content in (more or {}).items():
            new.writestr(f"archive/{name}", content)
    return target


def without_networks(metadata: bytes) -> bytes:
    """Metadata that name no plain weights."""
    content = json.loads(metadata)
    del content["networks"]
    return json.dumps(content).encode()


def with_plain_weights(
    source: Path,
    target: Path,
    change_metadata: Callable[[dict], None] = lambda _: None,
    change_weights: Callable[[bytes], bytes] = lambda content: content,
    change_code: Callable[[bytes], bytes] = lambda content: content,
) -> Path:
    """A model file with other metadata, plain weights or code, and a right checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename.endswith("/extra/metadata.json"):
                metadata = json.loads(content)
                change_metadata(metadata)
                content = json.dumps(metadata).encode()
            elif item.filename.endswith("/extra/weights.safetensors"):
                content = change_weights(content)
            elif item.filename.endswith(".py"):
                content = change_code(content)
            new.writestr(item.filename, content)
    target.write_bytes(add_checksum(buffer.getvalue()))
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


def with_extra_file(source: Path, target: Path, name: str, content: bytes | None) -> Path:
    """A copy of a model file with another extra file, or without one."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            if not item.filename.endswith(f"/extra/{name}"):
                new.writestr(item, old.read(item))
        if content is not None:
            root = old.namelist()[0].split("/")[0]
            new.writestr(f"{root}/extra/{name}", content)
    return target
