#!/usr/bin/env python3
"""Reads a Lifeboat repository in a folder, written from doc/format.md and the pages it links to.

It shares nothing with the program: whoever holds a key and those pages could write it anew.

usage: reader.py REPOSITORY snapshots
       reader.py REPOSITORY list SNAPSHOT             JSON lines, every file read and compared
       reader.py REPOSITORY extract SNAPSHOT PATH     the bytes of one file
       reader.py REPOSITORY restore SNAPSHOT TARGET   everything, into a new folder
       reader.py REPOSITORY verify                    every blob, every copy, every byte

SNAPSHOT is `latest` or the beginning of an id. The repository is opened with LIFEBOAT_PASSWORD,
with the file LIFEBOAT_KEY_FILE, or with files of words, joined with `:`, in LIFEBOAT_SHARES.
A copy that is bad while another is good is told on standard error; `verify` fails then.
"""

import hashlib
import hmac
import json
import os
import re
import stat
import sys
import unicodedata

import argon2.low_level
import mnemonic
import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK, BUNDLE, LEAF, BRANCH, MAP, MAP_BRANCH, CAPSULE = range(1, 8)
NODES = (LEAF, BRANCH, MAP, MAP_BRANCH)
FRAME_RAW_BYTES_MAX, OBJECT_BYTES_MAX, PACK_BYTES_MAX = 16 << 20, 20 << 20, 1 << 30
CHILDREN_MAX, LEAF_ENTRIES_MAX, TREE_HEIGHT_MAX = 65_536, 16_384, 16
KINDS = ("file", "folder", "symlink", "hard link", "fifo", "socket", "char device", "block device")
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
RESTORE, RECOVERY = 1, 2


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


def forms(passphrase):
    """The passphrase as RFC 8265 (OpaqueString) prepares it, then as it was given."""
    try:
        text = passphrase.decode()
    except UnicodeDecodeError:
        return [passphrase]
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    prepared = unicodedata.normalize("NFC", spaced).encode()
    return [prepared] if prepared == passphrase else [prepared, passphrase]


# Conventions


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

    def u64(self):
        return int.from_bytes(self.take(8), "little")

    def varint(self, most=(1 << 64) - 1):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "number not in its shortest form")
                need(value <= most, "number too large")
                return value
        raise Bad("number too long")

    def signed(self):
        raw = self.varint()
        return (raw >> 1) ^ -(raw & 1)

    def string(self, most):
        return self.take(self.varint(most))

    def finish(self):
        need(self.left() == 0, "bytes left over")


def wrapped(number):
    """A sum of signed numbers, in 64 bits."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def cbor(reader, depth=8):
    """One item of the deterministic CBOR that the records use."""
    need(depth, "items too deep")
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
        try:
            return reader.take(number).decode()
        except UnicodeDecodeError as error:
            raise Bad("text is not UTF-8") from error
    need(number <= reader.left(), "record ends early")
    if major == 4:
        return [cbor(reader, depth - 1) for _ in range(number)]
    need(major == 5, "tag")
    pairs = [(cbor(reader, depth - 1), cbor(reader, depth - 1)) for _ in range(number)]
    need(all(one[0] < two[0] for one, two in zip(pairs, pairs[1:])), "order of fields")
    return dict(pairs)


def cbor_all(data):
    reader = Bytes(data)
    value = cbor(reader)
    reader.finish()
    return value


def fields(value, shape):
    """An array whose items have these types: bytes of a length, int, str, list, or any."""
    need(isinstance(value, list) and len(value) == len(shape), "number of fields")
    for item, wanted in zip(value, shape):
        if wanted is None:
            continue
        if isinstance(wanted, int):
            need(isinstance(item, bytes) and len(item) == wanted, "length of a field")
        else:
            need(isinstance(item, wanted), "kind of a field")
    return value


def padded(value, shape):
    """As `fields`; an absent field at the end leaves no trace."""
    need(isinstance(value, list) and value and value[-1] is not None, "number of fields")
    missing = len(shape) - len(value)
    need(missing >= 0 and all(it is None for it in shape[len(value):]), "number of fields")
    return fields(value + [None] * missing, shape)


def padme(length):
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << max(exponent - exponent.bit_length(), 0)) - 1
    return (length + mask) & ~mask


# Ciphers and signatures


def decrypt(key, body, associated):
    try:
        return AESGCM(key).decrypt(bytes(12), body, associated)
    except InvalidTag as error:
        raise Bad("authentication tag differs") from error


def open_box(key, repository, kind, name, sealed):
    """What lies in a box under a long-lived key; None if the key or the place is another."""
    need(len(sealed) >= 80, "a box is too short")
    salt, commitment, body = sealed[:32], sealed[32:64], sealed[64:]
    kind = kind.encode()
    material = key + salt + repository + u64(len(kind)) + kind + u64(len(name)) + name
    expected = derive("lifeboat 1 long-lived key to box commitment", material)
    if not hmac.compare_digest(expected, commitment):
        return None
    return decrypt(derive("lifeboat 1 long-lived key to box key", material), body, kind)


def key_id(algorithm, public):
    return derive("lifeboat 1 public key to key id", bytes([algorithm]) + public)[:16]


FIELD = (1 << 255) - 19
# Heights of the points of small order on edwards25519: signatures under them prove nothing.
SMALL_ORDER = (0, 1, FIELD - 1,
               0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
               0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D7A17C7)


def is_strict_point(data):
    height = int.from_bytes(data, "little") & ((1 << 255) - 1)
    return height < FIELD and height not in SMALL_ORDER


def verify(public, context, message, signature):
    need(len(public) == 32 and len(signature) == 64, "length of a key or signature")
    need(is_strict_point(public) and is_strict_point(signature[:32]), "point of a signature")
    try:
        text = context.encode() + b"\0" + message
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError) as error:
        raise Bad(f"{context}: it does not hold") from error


class Kem:
    """A secret that opens envelopes."""

    def __init__(self, suite, secret):
        need(len(secret) == 32, "length of a secret")
        self.suite = suite
        if suite == 1:
            self.secret = X25519PrivateKey.from_private_bytes(secret)
            self.public = self.secret.public_key().public_bytes(*RAW)
            kem, self.encapsulated = hpke.KEM.X25519, 32
        else:
            need(suite == 2, "suite of a key")
            seeds = hashlib.shake_256(secret).digest(96)
            lattice = MLKEM768PrivateKey.from_seed_bytes(seeds[:64])
            curve = X25519PrivateKey.from_private_bytes(seeds[64:])
            self.public = (lattice.public_key().public_bytes(*RAW)
                           + curve.public_key().public_bytes(*RAW))
            self.secret = hpke.MLKEM768X25519PrivateKey(lattice, curve)
            kem, self.encapsulated = hpke.KEM.MLKEM768_X25519, 1120
        self.hpke = hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
        self.id = key_id(suite, self.public)

    def open(self, envelope, info):
        need(len(envelope) >= self.encapsulated + 16, "an envelope is too short")
        try:
            return self.hpke.decrypt(envelope, self.secret, info)
        except (InvalidTag, ValueError) as error:
            raise Bad("an envelope does not open") from error


# Small records


def record(data, kind):
    """The body of a small record: head, checksum, kind, version, in this order."""
    need(len(data) <= 64 << 10, "record too long")
    need(data[:8] == b"LIFEBOAT", "foreign record")
    need(len(data) >= 42 and blake3(data[:-32]).digest() == data[-32:], "damaged record")
    need(data[8] == kind, "another kind of record")
    need(data[9] == 1, "newer record")
    return cbor_all(data[10:-32])


CONTEXTS = {
    1: "lifeboat 1 signature of the config",
    3: "lifeboat 1 signature of a keyring",
    7: "lifeboat 1 signature of a recipients list",
    8: "lifeboat 1 signature of an enrolled machine",
    9: "lifeboat 1 signature of a custody check",
}


def signed_record(data, kind):
    """A signed record, and a function that refuses it unless one of the keys has signed."""
    payload, signer, signature = fields(record(data, kind), (bytes, 16, 64))
    need(payload[:2] == bytes((kind, 1)), "head inside a signed record")

    def by(keys):
        known = [key for key in keys if key_id(0, key) == signer]
        need(known, "signed by a stranger")
        verify(known[0], CONTEXTS[kind], payload, signature)

    return cbor_all(payload[2:]), by


# Shares


def gf_multiply(one, two):
    product = 0
    while two:
        if two & 1:
            product ^= one
        one <<= 1
        if one & 0x100:
            one ^= 0x11D
        two >>= 1
    return product


def gf_inverse(number):
    power = 1
    for _ in range(254):
        power = gf_multiply(power, number)
    return power


def share_of_words(text):
    words = re.findall(r"[a-z]+", text.lower())
    listed = mnemonic.Mnemonic("english").wordlist
    need(len(words) == 40, f"40 words are expected, found {len(words)}")
    bits = 0
    for word in words:
        exact = [n for n, it in enumerate(listed) if it == word]
        begin = [n for n, it in enumerate(listed) if len(word) >= 4 and it.startswith(word)]
        need(exact or begin, "a word is not in the list")
        bits = bits << 11 | (exact or begin)[0]
    share = bits.to_bytes(55, "big")
    need(blake3(share[:51]).digest()[:4] == share[51:], "checksum of a share")
    version, k, n, index = share[:4]
    need(version == 1 and 2 <= k <= n <= 16 and 1 <= index <= n, "head of a share")
    return k, n, index, share[4:19], share[19:51]


def join_shares(shares):
    """The recovery secret and the id of the set."""
    k, n, _, set_id, _ = shares[0]
    need(all((it[0], it[1], it[3]) == (k, n, set_id) for it in shares), "shares of two sets")
    points = dict((it[2], it[4]) for it in shares)
    need(all(points[it[2]] == it[4] for it in shares), "one share twice, and different")
    need(len(points) >= k, f"{k} shares are needed, found {len(points)}")
    secret = bytearray(32)
    for index, value in points.items():
        weight = 1
        for other in points:
            if other != index:
                weight = gf_multiply(weight, gf_multiply(other, gf_inverse(other ^ index)))
        for at in range(32):
            secret[at] ^= gf_multiply(value[at], weight)
    return bytes(secret), set_id


class Repository:
    """An opened repository."""

    def __init__(self, folder, way):
        self.folder, self.complaints, self.bundles = folder, [], {}
        self.read_config()
        way(self)
        self.read_signers()
        self.find_objects()

    # Blobs

    def blob(self, name, most=PACK_BYTES_MAX):
        path = os.path.join(self.folder, name)
        try:
            need(stat.S_ISREG(os.lstat(path).st_mode), f"{name}: no file")
            with open(path, "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise Bad(f"{name}: {error.strerror}") from error
        need(len(data) <= most, f"{name}: too long")
        return data

    def names(self, prefix=""):
        """Every blob below a folder; what is no blob's name is no part of the repository."""
        for parent, folders, files in os.walk(os.path.join(self.folder, prefix)):
            folders[:] = sorted(it for it in folders if re.fullmatch(r"[a-z0-9-][a-z0-9.-]*", it))
            for name in sorted(files):
                if re.fullmatch(r"[a-z0-9-][a-z0-9.-]*", name):
                    yield os.path.relpath(os.path.join(parent, name), self.folder)

    def complain(self, what):
        self.complaints.append(what)
        print(f"reader: {what}", file=sys.stderr)

    def first_good(self, names, decode):
        """The first copy that is good; every bad one before it is told."""
        found, last = None, None
        for name in names:
            try:
                data = self.blob(name, 64 << 10)
                value = decode(data)
                need(found is None or data == found[0], f"{name}: copies differ")
                found = found or (data, value)
            except Bad as bad:
                last = f"{name}: {bad}"
                self.complain(last)
        need(found, last)
        return found[1]

    def copies(self, folder, count, numbers=None):
        """Names of records in a folder, each with those of its copies."""
        first = "" if numbers is None else ".0"
        stems = sorted({re.sub(r"\.\d$", "", name) for name in self.names(folder)})
        return [(stem, [stem + (f".{n}" if n else first) for n in range(count)]) for stem in stems]

    # Keys

    def read_config(self):
        value, by = self.first_good(("config", "config.1", "config.2"),
                                    lambda data: signed_record(data, 1))
        self.repository, version, suite, _, self.root, sizes = fields(
            value, (16, int, int, int, 32, list))
        need((version, suite) == (1, 1), "newer format or suite")
        small, bundle, low, mean, high, node_low, node_mean, node_high, pack = fields(
            sizes, (int,) * 9)
        need(64 <= low <= 1 << 20 and low % 2 == 0 and high % 2 == 0, "chunk sizes")
        need(low <= mean <= high <= 16 << 20 and high >= 1024, "chunk sizes")
        need(mean & (mean - 1) == 0 and 256 <= mean <= 4 << 20, "chunk sizes")
        need(0 < node_low <= node_mean <= node_high <= 16 << 20, "node sizes")
        need(0 < bundle <= 16 << 20 and small <= bundle, "bundle sizes")
        need(64 << 10 <= pack <= 1 << 30, "pack sizes")
        by([self.root])

    def slot(self, secret, wanted):
        """Every slot that the secret fits, opened."""
        for stem, public, sealed in self.slots():
            repository, _, _, label, kind = public
            if repository != self.repository:
                continue
            need(len(label.encode()) <= 128 and len(kind) == 2, f"{stem}: label or kind")
            if kind[0] != wanted:
                continue
            if wanted == 1:
                memory, passes, lanes, salt = fields(kind[1], (int, int, int, 32))
                need(8 * lanes <= memory <= 4 << 20 and 1 <= passes <= 20 and 1 <= lanes <= 64,
                     f"{stem}: absurd parameters")
                keys = [argon2.low_level.hash_secret_raw(
                    form, salt, passes, memory, lanes, 32, argon2.low_level.Type.ID, 0x13)
                    for form in forms(secret)]
            else:
                need(wanted == 2, f"{stem}: unknown kind")
                (salt,) = fields(kind[1], (32,))
                keys = [derive("lifeboat 1 key file to slot key", salt + secret)]
            for key in keys:
                keyset = open_box(key, self.repository, "slot", encode(public), sealed)
                if keyset is not None:
                    yield keyset
                    break

    def slots(self):
        def decode(stem, data):
            public, sealed = fields(record(data, 2), (list, bytes))
            fields(public, (16, 16, int, str, list))
            need(public[0] != self.repository or stem == f"slots/{public[1].hex()}",
                 "it bears another name")
            return public, sealed

        for stem, names in self.copies("slots", 2):
            yield stem, *self.first_good(names, lambda data: decode(stem, data))

    def by_secret(self, secret, kind):
        listed, admins = self.recipients()
        replaced = None
        for plain in self.slot(secret, kind):
            keyset = padded(record(plain, 5), (16, int, 32, int, None, list, list, 32, None, 32,
                                               None))
            need(keyset[0] == self.repository and keyset[9] == self.root, "another repository")
            kem = Kem(keyset[1], keyset[2])
            if (RESTORE, keyset[1], kem.public) not in listed:
                replaced = kem, keyset
                continue
            secrets = self.newest_keyring(kem, listed, admins)
            if secrets and len(secrets[0]) >= len(keyset[6]):
                return self.keep_keys(kem, secrets[0], secrets[6])
            return self.keep_keys(kem, keyset[6], keyset[10])
        need(replaced, "wrong passphrase or key file")
        kem, keyset = replaced
        self.keep_keys(kem, keyset[6], keyset[10])

    def by_shares(self, texts):
        secret, set_id = join_shares([share_of_words(text) for text in texts])
        for suite in (1, 2):
            kem = Kem(suite, secret)
            named = derive("lifeboat 1 root and recovery public keys to share set id",
                           self.root + bytes([suite]) + kem.public)[:15]
            if named == set_id:
                break
        else:
            raise Bad("the shares do not fit this repository")
        listed, admins = self.recipients()
        need((RECOVERY, suite, kem.public) in listed, "the recovery key was replaced")
        secrets = self.newest_keyring(kem, listed, admins)
        need(secrets, "no keyring for this key")
        self.keep_keys(Kem(secrets[2], secrets[3]), secrets[0], secrets[6])

    def newest_keyring(self, kem, listed, admins):
        """Content of the newest keyring for this key whose restore key is a recipient."""
        found = []
        for stem, value in self.signed_records("keyring", 3, 3, [*admins, self.root]):
            _, generation, _, envelopes, newest = padded(value, (16, int, int, list, None))
            need(1 <= len(envelopes) <= 16, f"{stem}: envelopes")
            if newest is not None:
                for row in fields(newest, (int, list))[1]:
                    fields(row, (16, int))
            mine = dict(fields(it, (16, bytes)) for it in envelopes).get(kem.id)
            if mine:
                found.append((-generation, stem, mine))
        for generation, _, mine in sorted(found):
            info = (b"lifeboat 1 envelope of a keyring\0" + self.repository + u32(-generation))
            secrets = padded(record(kem.open(mine, info), 4),
                             (list, list, int, 32, 32, None, None))
            if (RESTORE, secrets[2], Kem(secrets[2], secrets[3]).public) in listed:
                return secrets
        return None

    def keep_keys(self, kem, store, replaced):
        rows = [fields(row, (int, 32)) for row in replaced or ()]
        need(replaced is None or 1 <= len(rows) <= 64, "replaced restore keys")
        self.kems = [kem, *(Kem(suite, secret) for suite, secret in rows)]
        rows = [tuple(fields(row, (int, 32))) for row in store]
        need(rows and all(a[0] < b[0] for a, b in zip(rows, rows[1:])), "generations of S")
        self.store = dict(rows)

    def box(self, generation, kind, name, sealed, what):
        need(generation in self.store, f"{what}: unknown generation of S")
        opened = open_box(self.store[generation], self.repository, kind, name, sealed)
        need(opened is not None, f"{what}: sealed with another key or for another place")
        return opened

    def signed_records(self, folder, kind, count, signers):
        """Records of this repository, each signed by one who may and under its own name."""
        def decode(stem, data):
            value, by = signed_record(data, kind)
            need(isinstance(value, list) and len(value) > 2, "number of fields")
            if value[0] != self.repository:
                return None
            by(signers)
            own = (f"{value[1].hex()}/{value[2]}" if kind == 8
                   else f"{value[1]}-{blake3(data).hexdigest()[:16]}")
            need(stem == f"{folder}/{own}", "it bears another name")
            return value

        for stem, names in self.copies(folder, count, 0):
            value = self.first_good(names, lambda data: decode(stem, data))
            if value:
                yield stem, value

    def recipients(self):
        """The newest list that root has signed: recipients, and keys of administrators."""
        newest = None
        for stem, value in self.signed_records("recipients", 7, 2, [self.root]):
            _, version, _, recipients, admins = fields(value, (16, int, int, list, list))
            rows = [tuple(fields(row, (int, int, bytes))) for row in recipients]
            need({RESTORE, RECOVERY} <= {row[0] for row in rows} and len(rows) <= 16, stem)
            keys = [fields(row, (32, str))[0] for row in admins]
            need(1 <= len(keys) <= 64, f"{stem}: administrators")
            if newest is None or version > newest[0]:
                newest = version, rows, keys
        need(newest, "no recipients list")
        return newest[1:]

    def read_signers(self):
        """Keys of machines by id, as administrators have signed them."""
        self.admins = self.recipients()[1]
        newest = {}
        for stem, value in self.signed_records("machines", 8, 2, self.admins):
            _, machine, version, _, state, key, _, generation, label, suspicion = padded(
                value, (16, 16, int, int, int, 32, 16, int, bytes, None))
            need(state in (1, 2) and version >= 1 and len(label) <= 512, f"{stem}: range")
            need((state == 2) == (suspicion is not None), f"{stem}: suspicion")
            for row in fields(suspicion, (int, list))[1] if suspicion else ():
                fields(row, (16, int, 32))
            self.box(generation, "machine label", machine, label, stem).decode()
            if version > newest.get(machine, (0,))[0]:
                newest[machine] = version, key
        self.machines = {machine: key for machine, (_, key) in newest.items()}

    # Packs

    def find_objects(self):
        """Where each object is: from the table of each pack, without the index."""
        self.objects, self.tables = {}, {}
        for name in self.names("packs"):
            try:
                self.read_table(name)
            except Bad as bad:
                self.complain(f"{name}: {bad}")

    def read_table(self, name):
        found = re.fullmatch(r"packs/([0-9a-f]{2})/(\1[0-9a-f]{62})", name)
        need(found, "no name of a pack")
        pack = self.blob(name)
        need(len(pack) >= 24 and pack[:8] == b"LBPACK\0\1" == pack[-8:], "ends")
        table_bytes = int.from_bytes(pack[-16:-12], "little")
        generation = int.from_bytes(pack[-12:-8], "little")
        need(table_bytes <= len(pack) - 24, "length of the table")
        sealed = pack[len(pack) - 16 - table_bytes:-16]
        table = self.box(generation, "pack table", b"", sealed, "table")
        need(0 < len(table) <= 37 << 20, "rows")
        rows, reader, at = [], Bytes(table), 8
        while reader.left():
            kind, sid, length = reader.u8(), reader.take(32), reader.u32()
            need(1 <= kind <= 7 and 0 < length <= OBJECT_BYTES_MAX, "row")
            rows.append((kind, sid, length, at))
            at += length
        need(at + table_bytes + 16 == len(pack), "length")
        self.tables[found[2]] = table_bytes, table
        for kind, sid, length, at in rows:
            self.objects.setdefault(sid, []).append((name, at, length, kind))

    def object(self, sid, key, raw_length, kinds):
        """Kind, children and raw bytes of an object, from the first copy whose hash is right."""
        for name, at, length, kind in self.objects.get(sid, ()):
            with open(os.path.join(self.folder, name), "rb") as file:
                file.seek(at)
                data = file.read(length)
            if blake3(data).digest() == sid:
                break
            self.complain(f"{name}: object at {at}: hash differs")
        else:
            raise Bad(f"object {sid.hex()} is lost")
        need(kind in kinds, "an object of another kind")
        kids, children, body = b"", [], data
        if kind in NODES:
            reader = Bytes(data)
            generation, refs_length = reader.u32(), reader.u32()
            refs = self.box(generation, "node refs", b"", reader.take(refs_length), "node")
            need(len(refs) % 32 == 0 and len(refs) <= CHILDREN_MAX * 32, "refs of a node")
            children = [refs[i:i + 32] for i in range(0, len(refs), 32)]
            kids, body = blake3(refs).digest(), data[reader.at:]
        aad = bytes((1, 1, kind, len(kids))) + kids
        return kind, children, unframe(decrypt(key, body, aad), kind, raw_length)

    # Manifests

    def snapshots(self):
        """Manifests from both prefixes, by id; removed ones are left out."""
        removed = {name[len("tombstones/"):] for name in self.names("tombstones")
                   if self.is_tombstone(name)}
        places, found = {}, {}
        for prefix in ("manifests", "manifests.2"):
            for name in self.names(prefix):
                places.setdefault(name[len(prefix) + 1:], []).append(name)
        for place, names in places.items():
            if place in removed:
                continue
            if len(names) < 2:
                self.complain(f"{names[0]}: its twin is missing")
            for name in names:
                try:
                    found[place.rsplit("-", 1)[1]] = self.manifest(name, place)
                except Bad as bad:
                    self.complain(f"{name}: {bad}")
        self.check_chains(sorted({*places, *removed}), found)
        return found

    def manifest(self, name, place):
        data = self.blob(name, 4 << 20)
        machine, source, seq, identity = re.fullmatch(
            r"([0-9a-f]{32})/([0-9a-f]{32})/([1-9][0-9]*)-([0-9a-f]{64})", place).groups()
        need(identity == blake3(data).hexdigest(), "hash differs")
        reader = Bytes(data)
        need(reader.take(8) == b"LBMANI\0\1", "head")
        public = reader.take(reader.u32())
        sealed = reader.take(reader.u32())
        signature = reader.take(64)
        reader.finish()
        values = cbor_all(public)
        need(isinstance(values, dict) and list(values) == list(range(17)), "fields")
        values = fields(list(values.values()), (int, 16, 16, 16, int, bytes, 16, int, 32, list,
                                                int, int, 16, int, int, list, 16))
        need(values[0] == 1, "newer format")
        need(values[1] == self.repository, "another repository")
        need((values[2].hex(), values[3].hex(), values[4]) == (machine, source, int(seq)), "place")
        need(len(values[5]) == (0 if values[4] == 1 else 32), "manifest before")
        need(len(values[9]) <= 1024 and len(values[15]) <= 16, "number of a field")
        key = self.machines.get(values[2])
        need(key, "its machine is not enrolled")
        need(key_id(0, key) == values[16], "signed by a stranger")
        verify(key, "lifeboat 1 signature of a manifest", data[:-64], signature)
        return values, public, sealed

    def is_tombstone(self, name):
        try:
            data = self.blob(name, 64 << 10)
            reader = Bytes(data)
            need(reader.take(8) == b"LBTOMB\0\1", "head")
            need(reader.take(16) == self.repository, "another repository")
            machine, source, seq = reader.take(16), reader.take(16), reader.u64()
            place = f"{machine.hex()}/{source.hex()}/{seq}-{reader.take(32).hex()}"
            need(name == f"tombstones/{place}", "it bears another name")
            reader.take(8)
            signer = reader.take(16)
            reader.string(4096).decode()
            known = [key for key in self.admins if key_id(0, key) == signer]
            need(known, "signed by a stranger")
            verify(known[0], "lifeboat 1 signature of a tombstone", data[:-64], reader.take(64))
            reader.finish()
            return True
        except Bad as bad:
            self.complain(f"{name}: {bad}")
            return False

    def check_chains(self, places, found):
        """Every number once, each after the one before."""
        chains = {}
        for place in places:
            chain, last = place.rsplit("/", 1)
            seq, identity = last.split("-")
            chains.setdefault(chain, {}).setdefault(int(seq), []).append(identity)
        for chain, members in chains.items():
            for seq in range(1, max(members) + 1):
                count = len(members.get(seq, ()))
                if count != 1:
                    self.complain(f"{chain}: {count} snapshots have number {seq}")
        for values, _, _ in found.values():
            before = chains[f"{values[2].hex()}/{values[3].hex()}"].get(values[4] - 1)
            if values[4] > 1 and before and values[5].hex() not in before:
                self.complain(f"snapshot {values[4]}: another stands before it")

    def select(self, word):
        found = self.snapshots()
        need(found, "no snapshot")
        if word == "latest":
            return max(found.items(), key=lambda item: item[1][0][7])[1]
        matches = [item for item in found.items() if item[0].startswith(word)]
        need(len(matches) == 1, f"{len(matches)} snapshots begin with {word}")
        return matches[0][1]

    def told_of(self, manifest):
        """The sealed part of a manifest, opened with the restore key."""
        values, public, sealed = manifest
        public_hash = blake3(public).digest()
        info = (b"lifeboat 1 envelope of a snapshot key\0" + self.repository + values[2]
                + values[3] + u64(values[4]) + public_hash)
        reader = Bytes(sealed)
        count, envelopes = reader.u8(), []
        need(count <= 16, "number of envelopes")
        for _ in range(count):
            envelopes.append((reader.take(16), reader.take(reader.u32())))
        need([it[0] for it in envelopes] == values[15], "recipients and envelopes differ")
        box = reader.take(reader.u32())
        reader.finish()
        mine = [(kem, dict(envelopes)[kem.id]) for kem in self.kems if kem.id in dict(envelopes)]
        need(mine, "the restore key is no recipient")
        snapshot_key = mine[0][0].open(mine[0][1], info)
        opened = open_box(snapshot_key, self.repository, "snapshot", public_hash, box)
        need(opened is not None, "sealed part of a manifest")
        told = padded(cbor_all(opened), (32, 32, int, str, list, list, str, str, int, int, list,
                                         list, None))
        need(told[0] == values[8], "root of the public part")
        fields(told[10], (int,) * 9)
        need(len(told[12] or ()) == len(values[9]), "number of capsules")
        return told

    def root_of(self, manifest):
        """The root's ref."""
        return tuple(self.told_of(manifest)[:3])

    def capsules(self, manifest):
        """What was recorded at the source."""
        for sid, capsule in zip(manifest[0][9], self.told_of(manifest)[12] or ()):
            key, length = fields(capsule, (32, int))
            told = json.loads(self.object(sid, key, length, (CAPSULE,))[2])
            need(told.get("schema") == "lifeboat/capsule/1", "schema of a capsule")
            yield told

    # Trees

    def entries(self, ref):
        """Every entry of a tree, in order."""
        last = None
        for entry in self.below(ref, None, None):
            need(last is None or last < entry["stored"], "paths are not sorted")
            last = entry["stored"]
            yield entry

    def below(self, ref, above, first):
        kind, children, raw = self.object(*ref, (LEAF,) if above == 1 else (BRANCH,))
        reader = Bytes(raw)
        need(reader.u8() == 1, "version of a node")
        if kind == LEAF:
            rows = leaf(reader, children)
            need(not rows or rows[0]["stored"] == first, "first path of a leaf")
            yield from rows
            return
        level = reader.u8()
        need(level == above - 1 if above else 1 <= level < TREE_HEIGHT_MAX, "level of a branch")
        nodes = refs_of(reader, children)
        need(nodes, "a branch without children")
        rows = [(reader.string(32 << 10), reader.varint()) for _ in nodes]
        reader.finish()
        need(all(one[0] < two[0] for one, two in zip(rows, rows[1:])), "children are not sorted")
        need(first is None or rows[0][0] == first, "first path of a branch")
        for node, (begin, count) in zip(nodes, rows):
            found = 0
            for entry in self.below(node, level, begin):
                found += 1
                yield entry
            need(found == count, "number of entries below a branch")

    def extents(self, ref, above=None):
        """Every extent of a map, in order: length, chunk, digest."""
        kind, children, raw = self.object(*ref, (MAP,) if above == 1 else (MAP_BRANCH,))
        reader = Bytes(raw)
        need(reader.u8() == 1, "version of a map")
        if kind == MAP:
            nodes = refs_of(reader, children)
            found = [extent(reader, nodes) for _ in range(reader.varint(CHILDREN_MAX))]
            reader.finish()
            yield from found
            return
        level = reader.u8()
        need(level == above - 1 if above else 1 <= level < TREE_HEIGHT_MAX, "level of a map")
        nodes = refs_of(reader, children)
        need(nodes, "a map branch without children")
        lengths = [reader.varint() for _ in nodes]
        reader.finish()
        for node, length in zip(nodes, lengths):
            total = 0
            for found in self.extents(node, level):
                total += found[0]
                yield found
            need(total == length, "bytes that a map covers")

    def content(self, entry):
        """The parts of a file: bytes, or the length of a hole. Compared part by part, and as a
        whole when they end."""
        holding, where, digest = entry["content"]
        if holding == 0:
            need(entry["kind"] != "file" or entry["size"] == 0 or entry.get("flags", 0) & 2,
                 "a file without content")
            return
        if holding == 1:
            bundle, offset = where
            if bundle[0] not in self.bundles:
                if len(self.bundles) > 8:
                    self.bundles.clear()
                self.bundles[bundle[0]] = self.object(*bundle, (BUNDLE,))[2]
            data = self.bundles[bundle[0]][offset:offset + entry["size"]]
            need(blake3(data).digest() == digest, "digest of a file")
            yield data
            return
        holes, hasher, at = [], blake3(), 0
        for length, chunk, chunk_digest in (where if holding == 2 else self.extents(where)):
            if chunk is None:
                if holes and sum(holes[-1]) == at:
                    holes[-1] = (holes[-1][0], holes[-1][1] + length)
                else:
                    holes.append((at, length))
                yield length
            else:
                data = self.object(*chunk, (CHUNK,))[2]
                need(blake3(data).digest() == chunk_digest, "digest of a chunk")
                hasher.update(data)
                yield data
            at += length
            need(at <= entry["size"], "content longer than its file")
        if holes:
            for offset, length in holes:
                hasher.update(u64(offset) + u64(length))
            hasher.update(u64(len(holes)))
        need(hasher.digest() == digest and at == entry["size"], "digest of a file")


def encode(item):
    """Deterministic CBOR of what `cbor` gave."""
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        size = next(n for n in range(4) if number < 1 << (8 << n))
        return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")

    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    return head(4, len(item)) + b"".join(encode(it) for it in item)


def unframe(frame, kind, raw_length):
    need(len(frame) >= 8, "a frame is too short")
    need(frame[0] == 1, "newer frame")
    need(frame[1] == kind and frame[2] in (0, 1) and frame[3] == 0, "head of a frame")
    found = int.from_bytes(frame[4:8], "little")
    need(found == raw_length <= FRAME_RAW_BYTES_MAX, "raw length")
    if frame[2] == 0:
        raw, rest = frame[8:8 + raw_length], frame[8 + raw_length:]
    else:
        raw, rest = decompressed(frame[8:], raw_length)
    need(len(raw) == raw_length and not any(rest), "payload or padding")
    need(len(frame) == padme(len(frame) - len(rest)), "length of the padding")
    return raw


def decompressed(payload, raw_length):
    """One zstd frame and what follows it; given in small pieces, so that a bomb ends early."""
    unpacker, raw, at = zstandard.ZstdDecompressor().decompressobj(), [], 0
    total = 0
    while not unpacker.eof and at < len(payload) and total <= raw_length:
        try:
            raw.append(unpacker.decompress(payload[at:at + 4096]))
        except zstandard.ZstdError as error:
            raise Bad(f"decompressor: {error}") from error
        total += len(raw[-1])
        at += 4096
    need(unpacker.eof, "payload is no whole zstd frame of the raw length")
    return b"".join(raw), unpacker.unused_data + payload[at:]


def refs_of(reader, sids):
    """The children of a node: sid, key, raw length."""
    need(reader.varint(CHILDREN_MAX) == len(sids), "number of children")
    keys = [reader.take(32) for _ in sids]
    return [(sid, key, reader.varint(FRAME_RAW_BYTES_MAX)) for sid, key in zip(sids, keys)]


def child(nodes, number):
    need(0 <= number < len(nodes), "number of a child")
    return nodes[number]


def extent(reader, nodes):
    """Length, chunk and digest; a hole has only a length."""
    number = reader.varint()
    if number == 0:
        length = reader.varint()
        need(length, "an empty hole")
        return length, None, None
    chunk = child(nodes, number - 1)
    need(chunk[2], "an empty chunk")
    return chunk[2], chunk, reader.take(32)


def check_path(path):
    need(len(path) <= 32 << 10, "a path is too long")
    names = path.split(b"\0") if path else []
    need(len(names) <= 256, "a path is too deep")
    for name in names:
        need(1 <= len(name) <= 4096 and name not in (b".", b"..") and b"/" not in name, "a name")


def leaf(reader, sids):
    """The entries of a leaf, put together from its columns."""
    count = reader.varint(LEAF_ENTRIES_MAX)
    nodes = refs_of(reader, sids)
    lengths, last = [], 0
    while (number := reader.u8()) != 0:
        need(number > last and (number <= 17 or number >= 128), "column")
        lengths.append((number, reader.varint()))
        last = number
    columns = {number: Bytes(b"") for number in range(1, 18)}
    columns |= {number: Bytes(reader.take(length)) for number, length in lengths}
    reader.finish()
    (_, shapes, shared, rests, names, owner_rows, owner, size, mtime, mtime_ns, ctime, ctime_ns,
     inode, numbers, offsets, extents, digests, extras) = (columns.get(n) for n in range(18))
    owners = []
    while owner_rows.left():
        row = [owner_rows.varint((1 << 32) - 1) for _ in range(3)]
        owners.append((*row, owner_rows.string(1024), owner_rows.string(1024),
                       owner_rows.varint()))
        need(len(owners) <= LEAF_ENTRIES_MAX, "too many owners")
    path, seconds, changed, number, next_offset, entries = b"", 0, 0, 0, 0, []
    path_bytes = 0
    for _ in range(count):
        shape = shapes.u8()
        kind, holding = shape & 15, shape >> 4 & 7
        need(kind < len(KINDS) and holding < 4 and (not holding or kind == 0), "shape")
        common = shared.varint()
        need(common <= len(path), "a path shares more than there is")
        path = path[:common] + names.take(rests.varint())
        check_path(path)
        path_bytes += len(path)
        need(path_bytes <= 64 << 20, "the paths of a leaf are too long")
        which = owner.varint()
        need(which < len(owners), "an owner is missing")
        mode, uid, gid, *_ = owners[which]
        entry = {"path": path.replace(b"\0", b"/"), "stored": path, "kind": KINDS[kind],
                 "mode": mode, "owner": [uid, gid], "size": size.varint() if kind in (0, 3) else 0}
        seconds = wrapped(seconds + mtime.signed())
        changed = wrapped(changed + ctime.signed())
        entry["mtime"] = [seconds, mtime_ns.u32()]
        need(max(entry["mtime"][1], ctime_ns.u32()) < 10 ** 9, "nanoseconds")
        inode.signed()
        where = None
        digest = digests.take(32) if holding else None
        if holding in (1, 3):
            step = numbers.signed()
            number += step
            where = child(nodes, number)
            if holding == 1:
                offset = (0 if step else next_offset) + offsets.signed()
                next_offset = offset + entry["size"]
                need(0 <= offset and next_offset <= where[2], "a slice outside its bundle")
                where = where, offset
        elif holding == 2:
            where = [extent(extents, nodes) for _ in range(extents.varint(64))]
            need(sum(it[0] for it in where) == entry["size"], "extents and size differ")
        entry["content"] = holding, where, digest
        entry |= extra(extras) if shape & 128 else {}
        need(("hard_link" in entry) == (kind == 3), "a hard link without its target")
        entries.append(entry)
    for column in range(1, 18):
        columns[column].finish()
    need(all(a["stored"] < b["stored"] for a, b in zip(entries, entries[1:])), "order of paths")
    return entries


def extra(reader):
    """What only some entries have."""
    bits, found = reader.u8(), {}
    need(0 < bits < 64, "extra fields")
    if bits & 1:
        found["flags"] = reader.u8()
    if bits & 2:
        reader.varint((1 << 32) - 1)
    if bits & 4:
        found["link"] = reader.string(64 << 10)
    if bits & 8:
        path = reader.string(32 << 10)
        check_path(path)
        found["hard_link"] = path.replace(b"\0", b"/")
    if bits & 16:
        found["device"] = [reader.varint((1 << 32) - 1), reader.varint((1 << 32) - 1)]
    if bits & 32:
        rows = [(reader.string(1 << 20), reader.string(1 << 20))
                for _ in range(reader.varint(1024))]
        need(all(a[0] < b[0] for a, b in zip(rows, rows[1:])), "order of attributes")
        need(sum(len(name) + len(value) for name, value in rows) <= 1 << 20, "attributes")
        found["xattrs"] = rows
    return found


# Verbs


def listed(repository, ref):
    for entry in repository.entries(ref):
        data, size = blake3(), 0
        small = b""
        for part in repository.content(entry):
            part = part if isinstance(part, bytes) else bytes(part)
            data.update(part)
            size += len(part)
            small = (small + part)[:65]
        entry["content"] = data.digest() if size > 64 else small
        entry["xattrs"] = [(name.hex(), value.hex()) for name, value in entry.get("xattrs", ())]
        del entry["stored"]
        print(json.dumps({name: value.hex() if isinstance(value, bytes) else value
                          for name, value in entry.items()}))


def restore(repository, ref, target):
    """Everything below a new folder; links after files, attributes of folders last."""
    target = os.fsencode(target)
    os.mkdir(target, 0o700)
    kinds, folders, links = {}, [], []
    for entry in repository.entries(ref):
        kinds[entry["path"]] = entry["kind"]
        parent = entry["path"].rpartition(b"/")[0]
        need(kinds.get(parent, "folder") == "folder", "an entry below what is no folder")
        path = os.path.join(target, entry["path"])
        if not parent or parent not in kinds:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if entry["kind"] == "folder":
            os.makedirs(path, 0o700, exist_ok=True)
            folders.append((path, entry))
        elif entry["kind"] == "hard link":
            links.append((path, entry))
        else:
            make(repository, path, entry)
            attributes(path, entry)
    for path, entry in links:
        need(kinds.get(entry["hard_link"], "folder") not in ("folder", "hard link"), "hard link")
        os.link(os.path.join(target, entry["hard_link"]), path, follow_symlinks=False)
    for path, entry in reversed(folders):
        attributes(path, entry)


def make(repository, path, entry):
    kind = entry["kind"]
    if kind == "file":
        with open(path, "xb") as file:
            for part in repository.content(entry):
                if isinstance(part, bytes):
                    file.write(part)
                else:
                    file.seek(part, os.SEEK_CUR)
            file.truncate(file.tell())
    elif kind == "symlink":
        os.symlink(entry["link"], path)
    else:
        types = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "char device": stat.S_IFCHR,
                 "block device": stat.S_IFBLK}
        os.mknod(path, types[kind] | 0o600, os.makedev(*entry.get("device", (0, 0))))


def attributes(path, entry):
    if os.geteuid() == 0:
        os.chown(path, *entry["owner"], follow_symlinks=False)
    for name, value in entry.get("xattrs", ()):
        os.setxattr(path, name, value, follow_symlinks=False)
    if entry["kind"] != "symlink":
        os.chmod(path, entry["mode"])
    moment = entry["mtime"][0] * 10 ** 9 + entry["mtime"][1]
    os.utime(path, ns=(moment, moment), follow_symlinks=False)


def verify_all(repository):
    """Every blob is what its name says, every copy is good, every snapshot can be read."""
    counts = {"blobs": 0, "objects": 0, "snapshots": 0, "entries": 0, "bytes": 0,
              "capsules": 0}
    for name in repository.names():
        counts["blobs"] += 1
        folder = name.split("/")[0]
        if folder == "packs":
            verify_pack(repository, name, counts)
        elif folder == "index":
            verify_index(repository, name)
        elif folder == "sessions":
            data = repository.blob(name, 64 << 10)
            need(data[:8] == b"LBSESS\0\1" and len(data) > 12, f"{name}: head")
            session = bytes.fromhex(name.split("/")[1].split(".")[0])
            generation = int.from_bytes(data[8:12], "little")
            repository.box(generation, "session", session, data[12:], name)
        elif folder == "custody":
            pass
        else:
            known = ("config", "config.1", "config.2", "slots", "keyring", "recipients",
                     "machines", "manifests", "manifests.2", "tombstones",
                     "notes", "notes.2")
            need(folder in known, f"{name}: a stranger")
    verify_records(repository)
    for manifest in repository.snapshots().values():
        counts["snapshots"] += 1
        counts["capsules"] += len(list(repository.capsules(manifest)))
        seen = set()
        for entry in repository.entries(repository.root_of(manifest)):
            counts["entries"] += 1
            for part in repository.content(entry):
                counts["bytes"] += len(part) if isinstance(part, bytes) else part
            if "hard_link" in entry:
                need(entry["hard_link"] in seen, "a hard link to nothing before it")
            elif entry["kind"] != "folder":
                seen.add(entry["path"])
    for sid, places in repository.objects.items():
        twins = {place[0] for place in places}
        if places[0][3] in NODES and len(twins) < 2:
            repository.complain(f"node {sid.hex()} is kept once only")
    need(not repository.complaints, f"{len(repository.complaints)} things are wrong")
    print(json.dumps(counts))


def verify_pack(repository, name, counts):
    data = repository.blob(name)
    need(blake3(data).hexdigest() == name.rsplit("/", 1)[1], f"{name}: hash differs")
    reader, at = Bytes(repository.tables[name.rsplit("/", 1)[1]][1]), 8
    while reader.left():
        kind, sid, length = reader.u8(), reader.take(32), reader.u32()
        need(blake3(data[at:at + length]).digest() == sid, f"{name}: object at {at}")
        at += length
        counts["objects"] += 1


def verify_index(repository, name):
    """An index says what the tables say."""
    data = repository.blob(name, 128 << 20)
    need(name == f"index/{blake3(data).hexdigest()}", f"{name}: hash differs")
    need(data[:8] == b"LBINDX\0\1" and len(data) > 12, f"{name}: head")
    body = repository.box(int.from_bytes(data[8:12], "little"), "index", b"", data[12:], name)
    reader = Bytes(body)
    while reader.left():
        pack, table_bytes, rows = reader.take(32).hex(), reader.u32(), reader.u32()
        table = reader.take(rows * 37)
        if pack in repository.tables:
            need((table_bytes, table) == repository.tables[pack], f"{name}: pack {pack} differs")


def verify_records(repository):
    """What no snapshot needs: other slots, the keyring, custody."""
    for _ in repository.slots():
        pass
    keyrings = repository.signed_records("keyring", 3, 3, [*repository.admins, repository.root])
    need(list(keyrings), "no keyring")
    for _, value in repository.signed_records("custody", 9, 2, repository.admins):
        fields(value, (16, int, 16, int, int, list))


def way_in():
    """How the repository is opened, by what the environment names."""
    if shares := os.environ.get("LIFEBOAT_SHARES"):
        texts = [open(path, encoding="ascii").read() for path in shares.split(":")]
        return lambda repository: repository.by_shares(texts)
    if path := os.environ.get("LIFEBOAT_KEY_FILE"):
        with open(path, "rb") as file:
            secret = file.read()
        need(32 <= len(secret) <= 64 << 10, "a key file has 32 bytes to 64 KiB")
        return lambda repository: repository.by_secret(secret, 2)
    passphrase = os.environb[b"LIFEBOAT_PASSWORD"]
    return lambda repository: repository.by_secret(passphrase, 1)


def main():
    folder, verb, *rest = sys.argv[1:]
    repository = Repository(folder, way_in())
    if verb == "snapshots":
        for identity, (values, _, _) in repository.snapshots().items():
            print(json.dumps({"id": identity, "seq": values[4], "time_ms": values[7]}))
        return
    if verb == "verify":
        verify_all(repository)
        return
    root = repository.root_of(repository.select(rest[0]))
    if verb == "list":
        listed(repository, root)
    elif verb == "restore":
        restore(repository, root, rest[1])
    else:
        need(verb == "extract", f"unknown verb {verb}")
        wanted = os.fsencode(rest[1])
        entry = next((it for it in repository.entries(root) if it["path"] == wanted), None)
        need(entry and entry["kind"] == "file", "no such file in the snapshot")
        for part in repository.content(entry):
            sys.stdout.buffer.write(part if isinstance(part, bytes) else bytes(part))


if __name__ == "__main__":
    try:
        main()
    except Bad as bad:
        sys.exit(f"reader: {bad}")
