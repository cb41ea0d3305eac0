"""Damage to the bytes of a file."""

import io
import random
import re
import zipfile

NUMBER = re.compile(rb"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
EXTREMES = (
    *(b"0", b"-0", b"-1", b"1", b"2", b"1.5", b"1e308", b"-1e308", b"1e999", b"1e-320", b"nan"),
    *(b"inf", b"2147483648", b"9223372036854775808", b"1" * 5000, b"1e5", b"1000000", b"x", b""),
)


def damage_text(content: bytes, rng: random.Random) -> bytes:
    """One to three changes to a text: to its letters, its numbers or its lines."""
    for _ in range(rng.randint(1, 3)):
        content = rng.choice((_number, _number, _line, damage_bytes))(content, rng)
    return content


def damage_bytes(content: bytes, rng: random.Random) -> bytes:
    """A flipped bit, an end, or a block that is lost, doubled or moved."""
    if not content:
        return content
    place, other = (rng.randrange(len(content)) for _ in range(2))
    n = min(rng.choice((1, 8, 64, 512)), len(content))
    kind = rng.randrange(8)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + content[place + n :]
    if kind == 2:
        return content[:place] + content[other : other + n] + content[place:]
    if kind == 3:
        return content[:place] + content[other : other + n] + content[place + n :]
    if kind == 4:
        return content[:place] + bytes(min(n, len(content) - place)) + content[place + n :]
    flipped = content[place] ^ 1 << rng.randrange(8)
    return content[:place] + bytes([flipped]) + content[place + 1 :]


def swap_members(content: bytes, rng: random.Random) -> bytes:
    """A zip archive in which two members have each other's content, or one is damaged.

    Its own sums are right: only what it holds is not.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    k, other = (rng.randrange(len(members)) for _ in range(2))
    names, contents = map(list, zip(*members, strict=True))
    if k == other:
        contents[k] = damage_bytes(contents[k], rng)
    contents[k], contents[other] = contents[other], contents[k]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, bytes_of in zip(names, contents, strict=True):
            archive.writestr(name, bytes_of)
    return written.getvalue()


def damage_archive(content: bytes, rng: random.Random) -> bytes:
    """Damage to a zip archive as a file, or to what it holds."""
    return rng.choice((damage_bytes, swap_members))(content, rng)


def _number(content: bytes, rng: random.Random) -> bytes:
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    one = rng.choice(found)
    return content[: one.start()] + rng.choice(EXTREMES) + content[one.end() :]


def _line(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    k, other = (rng.randrange(len(lines)) for _ in range(2))
    kind = rng.randrange(3)
    if kind == 0:
        del lines[k]
    elif kind == 1:
        lines.insert(other, lines[k])
    else:
        lines[k], lines[other] = lines[other], lines[k]
    return b"".join(lines)
