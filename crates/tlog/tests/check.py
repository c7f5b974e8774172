#!/usr/bin/env python3
"""Checks a transparency log in a folder, by the words of c2sp.org/tlog-tiles, tlog-checkpoint and signed-note alone.

    check.py FOLDER VERIFIER-KEY

Knows nothing of the Rust code beside it and needs nothing but Python 3.8: a second pair of eyes. Everything is recomputed from
the entries: leaf hashes, every tile on every level, the root; and compared with the files and the signed checkpoint.
"""
import base64
import hashlib
import os
import sys


class Bad(Exception):
    """What is wrong with the log."""


def need(condition, problem):
    if not condition:
        raise Bad(problem)


# --- Ed25519: RFC 8032, section 5.1, with the sample code of section 6 as the model of the arithmetic ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
NEUTRAL = (0, 1, 1, 0)


def point_add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, d - c, d + c, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(scalar, point):
    result = NEUTRAL
    while scalar > 0:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_read(text):
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    need(y < P, "a point is not written as RFC 8032 has it")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and not (x == 0 and sign), "32 bytes are no point")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_read(bytes([0x58]) + bytes([0x66]) * 31)


def ed25519_is_valid(key, message, signature):
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(challenge, "little") % ORDER
    try:
        a, r = point_read(key), point_read(signature[:32])
    except Bad:
        return False
    return point_equal(point_times(s, BASE), point_add(r, point_times(k, a)))


# --- signed-note and tlog-checkpoint ---

def read_key(text):
    name, key_id, key = text.split("+", 2)
    key = base64.b64decode(key, validate=True)
    need(len(key) == 33 and key[0] == 1, "the key is not one of Ed25519")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    need(bytes.fromhex(key_id) == expected, "the id is not the key's")
    return name, expected, key[1:]


def read_checkpoint(note, key):
    name, key_id, public = key
    need(all(byte >= 0x20 or byte == 0x0A for byte in note), "the checkpoint has a control character")
    try:
        note = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("the checkpoint is not UTF-8") from None
    need(note.endswith("\n") and "\n\n" in note, "the checkpoint has no signatures")
    cut = note.rindex("\n\n") + 1
    text, lines = note[:cut], note[cut + 1:-1].split("\n")
    signed = False
    for line in lines:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1] != "", f"no signature line: {line!r}")
        try:
            signature = base64.b64decode(parts[2], validate=True)
        except ValueError:
            raise Bad(f"no signature line: {line!r}") from None
        if parts[1] == name and signature[:4] == key_id:
            need(ed25519_is_valid(public, text.encode(), signature[4:]), "the log's signature does not verify")
            signed = True
    need(signed, "the log has not signed")
    fields = text[:-1].split("\n")
    need(len(fields) >= 3 and all(fields), "the checkpoint has fewer than three lines, or an empty one")
    need(fields[0] == name, "the checkpoint is of another log")
    need(fields[1].isascii() and fields[1].isdigit() and str(int(fields[1])) == fields[1], "no tree size")
    root = base64.b64decode(fields[2], validate=True)
    need(len(root) == 32, "no root hash")
    return int(fields[1]), root


# --- RFC 6962, section 2.1 ---

def tree_hash(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(hashes[:split]) + tree_hash(hashes[split:])).digest()


# --- tlog-tiles ---

def tile_path(level, index, width):
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")


def read_bundle(data, width, path):
    entries, at = [], 0
    for _ in range(width):
        need(at + 2 <= len(data), f"{path} breaks off")
        end = at + 2 + int.from_bytes(data[at:at + 2], "big")
        need(end <= len(data), f"{path} breaks off")
        entries.append(data[at + 2:end])
        at = end
    need(at == len(data), f"{path} goes on after its last entry")
    return entries


def check(folder, vkey):
    def read(path):
        try:
            with open(os.path.join(folder, path), "rb") as file:
                return file.read()
        except OSError:
            raise Bad(f"{path} cannot be read") from None

    size, root = read_checkpoint(read("checkpoint"), read_key(vkey))
    content = {}
    leaves = []
    for start in range(0, size, 256):
        width = min(256, size - start)
        path = tile_path("entries", start // 256, width)
        content[path] = read(path)
        entries = read_bundle(content[path], width, path)
        leaves += [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    need(tree_hash(leaves) == root, "the entries have another root than the one that is signed")
    # Each level is the hashes of the full tiles of the one below.
    level, hashes = 0, leaves
    while hashes:
        above = []
        for start in range(0, len(hashes), 256):
            tile = hashes[start:start + 256]
            path = tile_path(level, start // 256, len(tile))
            content[path] = read(path)
            need(content[path] == b"".join(tile), f"{path} is not what the entries say")
            if len(tile) == 256:
                above.append(tree_hash(tile))
        level, hashes = level + 1, above
    # What else lies there may only be an older, narrower version of these.
    for parent, _, names in os.walk(os.path.join(folder, "tile")):
        for name in names:
            path = os.path.relpath(os.path.join(parent, name), folder)
            if path not in content:
                need(".p/" in path, f"{path} does not belong to a log of {size} entries")
                stem = path.split(".p/")[0]
                wider = [known for known in content if known == stem or known.startswith(stem + ".p/")]
                need(any(content[known].startswith(read(path)) for known in wider), f"{path} is not an older version")
    return size, len(content) + 1


def main():
    folder, vkey = sys.argv[1:]
    try:
        size, files = check(folder, vkey)
    except Bad as problem:
        print(f"bad: {problem}")
        sys.exit(1)
    print(f"good: {size} entries, {files} files")


main()
