#!/usr/bin/env python3
"""Reads a Lifeboat repository in a folder, written from doc/format.md and the pages it links to.

It shares nothing with the program: whoever holds the passphrase and those pages could write it anew.

usage: reader.py REPOSITORY snapshots
       reader.py REPOSITORY list SNAPSHOT             JSON lines, every file read and compared
       reader.py REPOSITORY extract SNAPSHOT PATH     the bytes of one file

SNAPSHOT is `latest` or the beginning of an id. The passphrase is in LIFEBOAT_PASSWORD.
"""

import hashlib
import hmac
import json
import os
import sys

import argon2.low_level
import zstandard
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives import hpke, serialization

NONCE = bytes(12)
CHUNK, BUNDLE, LEAF, BRANCH, MAP, MAP_BRANCH = 1, 2, 3, 4, 5, 6
NODES = (LEAF, BRANCH, MAP, MAP_BRANCH)
FRAME_RAW_BYTES_MAX = 16 << 20
KINDS = ("file", "folder", "symlink", "hard link", "fifo", "socket", "char device", "block device")


class Bad(Exception):
    """The repository is not what the format says."""


def need(condition, what):
    if not condition:
        raise Bad(what)


def derive(context, material):
    return blake3(material, derive_key_context=context).digest()


def u32(number):
    return number.to_bytes(4, "little")


def u64(number):
    return number.to_bytes(8, "little")


class Bytes:
    """A record, read from front to back."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        need(count <= self.left(), "record ends early")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return int.from_bytes(self.take(4), "little")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "number not in its shortest form")
                need(value < 1 << 64, "number too large")
                return value
            shift += 7
            need(shift < 70, "number too long")

    def signed(self):
        raw = self.varint()
        return (raw >> 1) ^ -(raw & 1)

    def string(self):
        return self.take(self.varint())

    def finish(self):
        need(self.left() == 0, "bytes left over")


def cbor(reader):
    """One item of the deterministic CBOR that the records use."""
    first = reader.u8()
    major, info = first >> 5, first & 31
    if major == 7:
        need(info == 22, "simple value")
        return None
    need(info < 28, "length")
    number = info if info < 24 else int.from_bytes(reader.take(1 << (info - 24)), "big")
    need(info < 24 or number >= (24, 1 << 8, 1 << 16, 1 << 32)[info - 24], "longer form")
    if major == 0:
        return number
    if major == 1:
        return -1 - number
    if major == 2:
        return reader.take(number)
    if major == 3:
        return reader.take(number).decode()
    if major == 4:
        return [cbor(reader) for _ in range(number)]
    need(major == 5, "tag")
    return {cbor(reader): cbor(reader) for _ in range(number)}


def cbor_all(data):
    reader = Bytes(data)
    value = cbor(reader)
    reader.finish()
    return value


def cbor_span(data):
    """The first item's bytes, as they stand."""
    reader = Bytes(data)
    cbor(reader)
    return data[:reader.at]


def record(data, kind):
    """The body of a small record: head, checksum, kind, version, in this order."""
    need(len(data) <= 64 << 10, "record too long")
    need(data[:8] == b"LIFEBOAT", "foreign record")
    need(blake3(data[:-32]).digest() == data[-32:], "damaged record")
    need(data[8] == kind, "another kind of record")
    need(data[9] == 1, "newer record")
    return data[10:-32]


def open_box(key, repository, kind, name, sealed):
    """What lies in a box under a long-lived key; None if the key is another."""
    salt, commitment, body = sealed[:32], sealed[32:64], sealed[64:]
    kind = kind.encode()
    material = (key + salt + repository + u64(len(kind)) + kind + u64(len(name)) + name)
    if not hmac.compare_digest(derive("lifeboat 1 long-lived key to box commitment", material),
                               commitment):
        return None
    return AESGCM(derive("lifeboat 1 long-lived key to box key", material)).decrypt(
        NONCE, body, kind)


def padme(length):
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << max(exponent - exponent.bit_length(), 0)) - 1
    return (length + mask) & ~mask


class Repository:
    """An opened repository."""

    def __init__(self, folder, passphrase):
        self.folder = folder
        self.read_config()
        self.read_keyset(passphrase)
        self.find_objects()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def blob(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()

    def names(self, prefix):
        for parent, _, files in sorted(os.walk(self.path(prefix))):
            for name in sorted(files):
                if not name.startswith("."):
                    yield os.path.relpath(os.path.join(parent, name), self.folder)

    def read_config(self):
        for name in ("config", "config.1", "config.2"):
            try:
                payload, _, signature = cbor_all(record(self.blob(name), 1))
            except (OSError, Bad):
                continue
            need(payload[:2] == b"\1\1", "config inside")
            self.repository, version, suite, _, self.root_key, *_ = cbor_all(payload[2:])
            need((version, suite) == (1, 1), "format or suite")
            text = b"lifeboat 1 signature of the config\0" + payload
            Ed25519PublicKey.from_public_bytes(self.root_key).verify(signature, text)
            return
        raise Bad("no repository here")

    def read_keyset(self, passphrase):
        for name in self.names("slots"):
            body = record(self.blob(name), 2)
            public = cbor_span(body[1:])
            (repository, _, _, _, kind), sealed = cbor_all(body)
            if repository != self.repository or kind[0] != 1:
                continue
            memory, passes, lanes, salt = kind[1]
            need(8 * lanes <= memory <= 4 << 20 and 1 <= passes <= 20 and 1 <= lanes <= 64,
                 "absurd parameters")
            key = argon2.low_level.hash_secret_raw(
                passphrase, salt, passes, memory, lanes, 32, argon2.low_level.Type.ID, 0x13)
            keyset = open_box(key, self.repository, "slot", public, sealed)
            if keyset is not None:
                fields = cbor_all(record(keyset, 5))
                _, self.restore_suite, self.restore_secret = fields[:3]
                self.store = dict(fields[6])
                return
        raise Bad("wrong passphrase")

    def find_objects(self):
        """Where each object is: from the table of each pack, without the index."""
        self.objects = {}
        for name in self.names("packs"):
            pack = self.blob(name)
            need(name.rsplit("/", 1)[1] == blake3(pack).hexdigest(), f"{name}: name")
            need(pack[:8] == b"LBPACK\0\1" == pack[-8:], f"{name}: ends")
            table_bytes = int.from_bytes(pack[-16:-12], "little")
            generation = int.from_bytes(pack[-12:-8], "little")
            sealed = pack[len(pack) - 16 - table_bytes:-16]
            table = open_box(self.store[generation], self.repository, "pack table", b"", sealed)
            need(table is not None, f"{name}: table")
            rows, at = Bytes(table), 8
            while rows.left():
                kind, sid, length = rows.u8(), rows.take(32), rows.u32()
                self.objects[sid] = (name, at, length, kind)
                at += length
            need(at + table_bytes + 16 == len(pack), f"{name}: length")

    def object(self, sid, key, raw_length):
        """Kind, children and raw bytes of an object."""
        name, at, length, kind = self.objects[sid]
        with open(self.path(name), "rb") as file:
            file.seek(at)
            data = file.read(length)
        need(blake3(data).digest() == sid, "hash of an object")
        kids, children, body = b"", [], data
        if kind in NODES:
            reader = Bytes(data)
            generation, refs_length = reader.u32(), reader.u32()
            refs = open_box(self.store[generation], self.repository, "node refs", b"",
                            reader.take(refs_length))
            need(refs is not None and len(refs) % 32 == 0, "refs of a node")
            children = [refs[i:i + 32] for i in range(0, len(refs), 32)]
            kids, body = blake3(refs).digest(), data[reader.at:]
        aad = bytes((1, 1, kind, len(kids))) + kids
        return kind, children, self.raw(AESGCM(key).decrypt(NONCE, body, aad), kind, raw_length)

    @staticmethod
    def raw(frame, kind, raw_length):
        need(frame[0] == 1 and frame[1] == kind and frame[3] == 0, "head of a frame")
        found = int.from_bytes(frame[4:8], "little")
        need(found == raw_length <= FRAME_RAW_BYTES_MAX, "raw length")
        if frame[2] == 0:
            raw, rest = frame[8:8 + raw_length], frame[8 + raw_length:]
        else:
            need(frame[2] == 1, "codec")
            unpacker = zstandard.ZstdDecompressor().decompressobj()
            raw = unpacker.decompress(frame[8:])
            rest = unpacker.unused_data
        need(len(raw) == raw_length and not any(rest), "payload or padding")
        need(len(frame) == padme(len(frame) - len(rest)), "length of the padding")
        return raw

    def snapshots(self):
        """Manifests from both prefixes, by id, with the parts that are not secret."""
        found = {}
        for prefix in ("manifests", "manifests.2"):
            for name in self.names(prefix):
                data = self.blob(name)
                identity = blake3(data).hexdigest()
                need(name.rsplit("-", 1)[1] == identity, f"{name}: name")
                reader = Bytes(data)
                need(reader.take(8) == b"LBMANI\0\1", f"{name}: head")
                public = reader.take(reader.u32())
                sealed = reader.take(reader.u32())
                need(reader.left() == 64, f"{name}: signature")
                found[identity] = (cbor_all(public), public, sealed)
        return found

    def select(self, word):
        found = self.snapshots()
        need(found, "no snapshot")
        if word == "latest":
            return max(found.items(), key=lambda item: item[1][0][7])
        matches = [item for item in found.items() if item[0].startswith(word)]
        need(len(matches) == 1, f"{len(matches)} snapshots begin with {word}")
        return matches[0]

    def info(self, manifest):
        """The sealed part of a manifest, opened with the restore key."""
        fields, public, sealed = manifest
        public_hash = blake3(public).digest()
        text = (b"lifeboat 1 envelope of a snapshot key\0" + self.repository + fields[2]
                + fields[3] + u64(fields[4]) + public_hash)
        reader = Bytes(sealed)
        envelopes = {}
        for _ in range(reader.u8()):
            key_id = reader.take(16)
            envelopes[key_id] = reader.take(reader.u32())
        box = reader.take(reader.u32())
        reader.finish()
        suite, secret, key_id = self.kem()
        need(key_id in envelopes, "the restore key is no recipient")
        key = suite.decrypt(envelopes[key_id], secret, text)
        opened = open_box(key, self.repository, "snapshot", public_hash, box)
        need(opened is not None, "sealed part of a manifest")
        info = cbor_all(opened)
        need(info[0] == fields[8], "root of the public part")
        return info

    def kem(self):
        """HPKE suite, secret key and key id of the restore key."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        if self.restore_suite == 1:
            secret = X25519PrivateKey.from_private_bytes(self.restore_secret)
            public, kem = secret.public_key().public_bytes(*raw), hpke.KEM.X25519
        else:
            need(self.restore_suite == 2, "suite of the restore key")
            seeds = hashlib.shake_256(self.restore_secret).digest(96)
            lattice = MLKEM768PrivateKey.from_seed_bytes(seeds[:64])
            curve = X25519PrivateKey.from_private_bytes(seeds[64:])
            public = (lattice.public_key().public_bytes(*raw)
                      + curve.public_key().public_bytes(*raw))
            secret, kem = hpke.MLKEM768X25519PrivateKey(lattice, curve), hpke.KEM.MLKEM768_X25519
        key_id = derive("lifeboat 1 public key to key id", bytes([self.restore_suite]) + public)
        return hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM), secret, key_id[:16]

    def entries(self, sid, key, raw_length):
        """Every entry below a node of the tree, in order."""
        kind, children, raw = self.object(sid, key, raw_length)
        reader = Bytes(raw)
        need(reader.u8() == 1, "version of a node")
        if kind == LEAF:
            yield from leaf(reader, children)
            return
        need(kind == BRANCH and 1 <= reader.u8() < 16, "branch")
        nodes = refs(reader, children)
        for _ in nodes:
            reader.string()
            reader.varint()
        reader.finish()
        for node in nodes:
            yield from self.entries(*node)

    def extents(self, sid, key, raw_length):
        """Every extent below a node of a map, in order."""
        kind, children, raw = self.object(sid, key, raw_length)
        reader = Bytes(raw)
        need(reader.u8() == 1, "version of a map")
        if kind == MAP:
            nodes = refs(reader, children)
            for _ in range(reader.varint()):
                yield extent(reader, nodes)
            reader.finish()
            return
        need(kind == MAP_BRANCH and 1 <= reader.u8() < 16, "map branch")
        nodes = refs(reader, children)
        for _ in nodes:
            reader.varint()
        reader.finish()
        for node in nodes:
            yield from self.extents(*node)

    def content(self, entry):
        """The bytes of a file, compared with its digest and size."""
        holding, where, digest = entry["content"]
        if holding == 0:
            return b""
        if holding == 1:
            bundle, offset = where
            data = self.object(*bundle)[2][offset:offset + entry["size"]]
            need(blake3(data).digest() == digest, "digest of a file")
            return data
        parts, holes, hasher = [], [], blake3()
        at = 0
        for hole, chunk, chunk_digest in (where if holding == 2 else self.extents(*where)):
            if chunk is None:
                if holes and sum(holes[-1]) == at:
                    holes[-1] = (holes[-1][0], holes[-1][1] + hole)
                else:
                    holes.append((at, hole))
                parts.append(bytes(hole))
            else:
                parts.append(self.object(*chunk)[2])
                need(blake3(parts[-1]).digest() == chunk_digest, "digest of a chunk")
                hasher.update(parts[-1])
            at += len(parts[-1])
        if holes:
            for offset, length in holes:
                hasher.update(u64(offset) + u64(length))
            hasher.update(u64(len(holes)))
        need(hasher.digest() == digest and at == entry["size"], "digest of a file")
        return b"".join(parts)


def refs(reader, sids):
    """The children of a node: sid, key, raw length."""
    need(reader.varint() == len(sids), "number of children")
    keys = [reader.take(32) for _ in sids]
    return [(sid, key, reader.varint()) for sid, key in zip(sids, keys)]


def extent(reader, nodes):
    """Length of a hole, or a chunk and its digest."""
    number = reader.varint()
    if number == 0:
        return reader.varint(), None, None
    return 0, nodes[number - 1], reader.take(32)


def leaf(reader, sids):
    """The entries of a leaf, put together from its columns."""
    count = reader.varint()
    nodes = refs(reader, sids)
    lengths, last = [], 0
    while (number := reader.u8()) != 0:
        need(number > last and (number <= 17 or number >= 128), "column")
        lengths.append((number, reader.varint()))
        last = number
    columns = {number: Bytes(b"") for number in range(1, 18)}
    columns |= {number: Bytes(reader.take(length)) for number, length in lengths}
    reader.finish()
    (_, shapes, shared, rests, names, owner_rows, owner, size, mtime, mtime_ns, ctime, ctime_ns,
     inode, child, offsets, extents, digests, extras) = (columns.get(n) for n in range(18))
    owners = []
    while owner_rows.left():
        row = [owner_rows.varint() for _ in range(3)]
        owners.append((*row, owner_rows.string(), owner_rows.string(), owner_rows.varint()))
    path, seconds, changed, number, child_number, next_offset = b"", 0, 0, 0, 0, 0
    for _ in range(count):
        shape = shapes.u8()
        kind, holding = shape & 15, shape >> 4 & 7
        path = path[:shared.varint()] + names.take(rests.varint())
        mode, uid, gid, *_ = owners[owner.varint()]
        entry = {"path": path.replace(b"\0", b"/"), "kind": KINDS[kind], "mode": mode,
                 "owner": [uid, gid], "size": size.varint() if kind in (0, 3) else 0}
        seconds += mtime.signed()
        changed += ctime.signed()
        entry["mtime"] = [seconds, mtime_ns.u32()]
        ctime_ns.u32()
        number += inode.signed()
        where = None
        if holding in (1, 3):
            step = child.signed()
            child_number += step
            if holding == 1:
                next_offset = (0 if step else next_offset) + offsets.signed()
                where = nodes[child_number], next_offset
                next_offset += entry["size"]
            else:
                where = nodes[child_number]
        elif holding == 2:
            where = [extent(extents, nodes) for _ in range(extents.varint())]
        entry["content"] = holding, where, digests.take(32) if holding else None
        entry |= extra(extras) if shape & 128 else {}
        yield entry
    for column in range(1, 18):
        columns[column].finish()


def extra(reader):
    """What only some entries have."""
    bits, found = reader.u8(), {}
    need(0 < bits < 64, "extra fields")
    if bits & 1:
        found["flags"] = reader.u8()
    if bits & 2:
        reader.varint()
    if bits & 4:
        found["link"] = reader.string()
    if bits & 8:
        found["hard_link"] = reader.string().replace(b"\0", b"/")
    if bits & 16:
        found["device"] = [reader.varint(), reader.varint()]
    if bits & 32:
        found["xattrs"] = [(reader.string().hex(), reader.string().hex())
                           for _ in range(reader.varint())]
    return found


def main():
    folder, verb, *rest = sys.argv[1:]
    repository = Repository(folder, os.environb[b"LIFEBOAT_PASSWORD"])
    if verb == "snapshots":
        for identity, (fields, _, _) in repository.snapshots().items():
            print(json.dumps({"id": identity, "seq": fields[4], "time_ms": fields[7]}))
        return
    _, manifest = repository.select(rest[0])
    sid, key, raw_length = repository.info(manifest)[:3]
    for entry in repository.entries(sid, key, raw_length):
        if verb == "list":
            data = repository.content(entry)
            entry["content"] = (blake3(data).digest() if len(data) > 64 else data)
            print(json.dumps({name: value.hex() if isinstance(value, bytes) else value
                              for name, value in entry.items()}))
        elif entry["path"] == os.fsencode(rest[1]):
            sys.stdout.buffer.write(repository.content(entry))
            return
    need(verb == "list", "no such file in the snapshot")


if __name__ == "__main__":
    try:
        main()
    except Bad as bad:
        sys.exit(f"reader: {bad}")
