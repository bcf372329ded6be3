"""The bytes of files, unpacked, in blocks. How a file is packed is seen in its first bytes, whatever it is called."""

import bz2
import lzma
import re
import zipfile
import zlib
from functools import partial

from refusals import refusal

try:
    from compression import zstd
except ImportError:
    try:
        # The same module for Python before 3.14.
        from backports import zstd
    except ImportError:
        # In an environment of before zstd was read, all other files are read as ever.
        zstd = None

# Bytes read at once, and unpacked at once, but for gzip, where a block becomes a thousand times longer at most.
BLOCK = 1 << 16
# How packed files begin. Skippable frames of zstd, which parallel packers write, may stand before the first one that counts.
PACKINGS = {
    rb"\x1f\x8b": "gzip",
    rb"PK\x03\x04": "zip",
    rb"BZh[1-9](1AY&SY|\x17rE8P\x90)": "bzip2",
    rb"\xfd7zXZ\0": "xz",
    rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18": "zstd",
}
UNPACKERS = {
    "gzip": partial(zlib.decompressobj, wbits=zlib.MAX_WBITS | 16),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "zstd": zstd and zstd.ZstdDecompressor,
}
ERRORS = (zlib.error, lzma.LZMAError, OSError, *([zstd.ZstdError] if zstd else []))


def packing_of(path):
    """'gzip', 'zip', 'bzip2', 'xz' or 'zstd', None where a file is not packed; a workbook of today is a zip, too."""
    with open(path, "rb") as file:
        return packed_with(file.read(16))


def packed_with(beginning):
    return next((packing for magic, packing in PACKINGS.items() if re.match(magic, beginning, re.DOTALL)), None)


def blocks(path, packing):
    """The bytes of a file, unpacked, in blocks of any length. Raises where what is packed is damaged or not whole."""
    with open(path, "rb", buffering=0) as file:
        if packing == "zip":
            yield from zip_member(path, file)
            return
        read = iter(partial(file.read, BLOCK), b"")
        yield from unpacked(path, read, packing) if packing else read


def unpacked(path, read, packing):
    """What blocks of gzip, bzip2, xz or zstd hold, member by member; each ends with a checksum, which is compared.

    DuckDB, which opens gzip and zstd, too, takes what is cut or damaged without a word.
    """
    if UNPACKERS[packing] is None:
        raise refusal(f"{path} is packed with zstd, for which the package backports.zstd is missing; make build installs it.")
    member = None
    for block in read:
        while block:
            member = member or UNPACKERS[packing]()
            try:
                yield from pieces(member, block)
            except ERRORS as error:
                is_checksum = re.search("(data|length) check|checksum|CRC", str(error))
                what = "its checksum is wrong" if is_checksum else "it cannot be unpacked"
                raise refusal(f"{path} is damaged: {what}; copy or export it anew.") from None
            block = member.unused_data
            member = None if member.eof else member
    if member:
        raise refusal(f"{path} is not whole: it ends before its checksum; copy or export it anew.")


def pieces(member, block):
    """What a member holds in a block, in pieces that fit into memory: the other packings know no bound for how long it gets."""
    if not hasattr(member, "needs_input"):
        yield member.decompress(block)
        return
    yield member.decompress(block, BLOCK)
    while not member.eof and not member.needs_input:
        yield member.decompress(b"", BLOCK)


def zip_member(path, file):
    """What the one file in a zip holds; its checksum is compared at its end."""
    try:
        with zipfile.ZipFile(file) as archive:
            # macOS adds a folder of its own.
            files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
            if len(files) != 1:
                names = f", such as {files[0].filename} and {files[1].filename}" if files else ""
                raise refusal(f"{path} is a zip of {len(files)} files{names}; unpack it, and give what is to be read.")
            if files[0].flag_bits & 1:
                raise refusal(f"{path} is a zip with a password; unpack it, and give what is in it.")
            with archive.open(files[0]) as member:
                yield from iter(partial(member.read, BLOCK), b"")
    except NotImplementedError:
        raise refusal(f"{path} is a zip of a kind that is not read; unpack it, and give what is in it.") from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        what = "its checksum is wrong" if "CRC" in str(error) else "it cannot be unpacked"
        raise refusal(f"{path} is damaged or not whole: {what}; copy or export it anew.") from None
