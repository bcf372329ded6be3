"""Text files as bytes: their encodings, their line ends, and the copies that DuckDB's reader needs of some.

That reader takes UTF-8 and Latin-1 whose line ends are of one kind. Any other text is copied as UTF-8 with LF throughout, block
by block, and the copy is read. No encoding is guessed: a file is in the one that is declared, unless its first bytes say another
one, by a byte order mark or by the zero bytes of UTF-16.
"""

import codecs
import io
import os
import re
import shutil
from contextlib import contextmanager

from packed_files import blocks
from refusals import refusal

# What the reader splits a line by, and would take out of a text.
SEPARATOR = "\U0010ffff"
# What the reader takes as it is.
DIRECT = ("utf-8", "latin-1")
# Codecs of Python that are for single words or for escapes: nobody writes a file in them.
NO_ENCODINGS = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")
# Suggested where a text is not in the encoding that was declared, the commonest first; all have one byte for each character.
CODE_PAGES = ("latin-1", "windows-1252", "windows-1250", "windows-1251", "cp850", "mac-roman")
# UTF-32 first: one of its marks begins like one of UTF-16.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
ASCII = bytes(range(0x80))
# The bytes of Latin-1 that are no characters to DuckDB, and letters and quotes in Windows code pages.
CONTROLS = rb"[\x80-\x9f]"


def declared_encoding(source):
    """The encoding that is declared for the texts of a source, in small letters; UTF-8 and Latin-1 as `DIRECT` has them."""
    declared = source["encoding"].lower()
    place = f"dbt_project.yml, vars, {source['block']}: source: encoding: {source['encoding']}"
    try:
        "a".encode(declared)
        name = codecs.lookup(declared).name
    except (LookupError, UnicodeError, ValueError):
        name = NO_ENCODINGS[0]
    if name.replace("-", "_") in NO_ENCODINGS:
        raise refusal(
            f"{place} is not the name of an encoding that Python knows; use one such as utf-8, windows-1252, cp850 or utf-16, or "
            "save the file as UTF-8."
        )
    return {"utf-8": "utf-8", "utf-8-sig": "utf-8", "iso8859-1": "latin-1"}.get(name, declared)


def encoding_of(path, source, beginning):
    """The encoding of a text by its first bytes, or else the one that is declared. Raises where it is no text."""
    for mark, encoding in MARKS.items():
        if beginning.startswith(mark):
            return encoding
    declared = declared_encoding(source)
    if codecs.lookup(declared).name.startswith(("utf-16", "utf-32")):
        return declared
    # Without a mark UTF-16 shows in its first line: of each letter of a header one half is a zero byte, and the other never is.
    line = re.match(rb"[\r\n\0]*[^\r\n]*", beginning)[0]
    zeros = (0 in line[0::2], 0 in line[1::2])
    if zeros in ((True, False), (False, True)):
        return "utf-16-be" if zeros[0] else "utf-16-le"
    if zeros == (True, True) or (0 in beginning and not is_utf_8(beginning)):
        raise refusal(f"{path} is not text, but a program, a picture or the like; give a CSV or Parquet file.")
    return declared


def is_utf_8(beginning):
    """Whether bytes are UTF-8, but for a character that is cut at their end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return True


class Text:
    """A text file: its path, what it is packed with, its encoding, and the source that declares it."""

    def __init__(self, path, packing, encoding, source):
        self.path, self.packing, self.encoding, self.source = path, packing, encoding, source

    def decoded(self):
        """The text in blocks, each line end as LF, and the decoder, whose `newlines` tells which kinds of them there are."""
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)("strict"), translate=True)

        def texts():
            n_bytes = 0
            for block in blocks(self.path, self.packing):
                try:
                    text = decoder.decode(block)
                except UnicodeDecodeError as error:
                    # The decoder has kept the beginning of a character that the block before ended with.
                    raise self.undecodable(n_bytes + error.start - len(error.object) + len(block)) from None
                if self.encoding == "latin-1" and (control := re.search(CONTROLS, block)):
                    raise self.undecodable(n_bytes + control.start())
                n_bytes += len(block)
                yield text
            try:
                yield decoder.decode(b"", final=True)
            except UnicodeDecodeError as error:
                if self.encoding == "utf-8":
                    raise self.undecodable(n_bytes + error.start - len(error.object)) from None
                raise refusal(
                    f"{self.path} is not whole: it ends in the middle of a character; copy or export it anew."
                ) from None

        return texts(), decoder

    def counted(self, copy=None):
        """The number of lines, blank ones counted, and the kinds of line ends: of LF, CR LF and CR those that it has.

        The text is written into `copy` at the same time, a file that is open for texts.
        """
        texts, decoder = self.decoded()
        n_lines, last = 0, "\n"
        for text in texts:
            if SEPARATOR in text:
                line = n_lines + text.partition(SEPARATOR)[0].count("\n") + 1
                raise refusal(f"{self.path}, line {line}, has the character U+10FFFF, which is never one of a text; remove it.")
            n_lines += text.count("\n")
            last = text[-1:] or last
            if copy:
                copy.write(text)
        kinds = decoder.newlines or ()
        return n_lines + (last != "\n"), (kinds,) if isinstance(kinds, str) else kinds

    def undecodable(self, place):
        """The error to raise where the bytes from `place` on, counted from 0, are none of the encoding."""
        setting = f"under source: in dbt_project.yml, vars, {self.source['block']}"
        said = f"{self.path}, line {self.line_of(place)}, is not {self.encoding} text; save the file as UTF-8"
        if self.encoding not in (*CODE_PAGES, "utf-8", "ascii"):
            return refusal(f"{said}, or set encoding: {setting} to the one that it is in; it fails at byte {place + 1}.")
        shown, odd = self.bytes_beyond_ascii(place)
        shown_as_hex = shown.hex(" ").upper()
        if self.encoding == "utf-8" and self.is_mostly_utf_8():
            return refusal(f"{said}, or mend its byte {place + 1}, {shown_as_hex[:2]}: what else it has beyond ASCII is UTF-8.")
        # The characters that the first of these bytes are, by code pages that have characters for all of them.
        pages = {}
        for page in CODE_PAGES:
            if page != self.encoding and can_be_decoded(odd, page):
                pages.setdefault(shown.decode(page), []).append(page)
        (characters, (best, *_)), *others = pages.items()
        are = f"then the bytes {shown_as_hex}, from byte {place + 1} on, are" if len(shown) > 1 else ""
        are = are or f"then its byte {place + 1}, {shown_as_hex}, is"
        return refusal(
            f'{said}, or set encoding: {best} {setting}; {are} "{characters}"'
            + "".join(f', in {" and ".join(pages)} "{characters}"' for characters, pages in others)
            + "."
        )

    def line_of(self, place):
        """The number of the line in which a byte stands; what is before it can be decoded."""
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)("strict"), translate=True)
        n_lines = 1
        for block in blocks(self.path, self.packing):
            n_lines += decoder.decode(block[: max(place, 0)]).count("\n")
            place -= len(block)
        return n_lines + decoder.decode(b"", final=True).count("\n")

    def bytes_beyond_ascii(self, place):
        """The first five kinds of bytes beyond ASCII from a place on, in their order, and all kinds of them in the file."""
        shown, odd = {}, set()
        for block in blocks(self.path, self.packing):
            odd.update(block.translate(None, ASCII))
            if len(shown) < 5:
                shown |= dict.fromkeys(block[max(place, 0) :].translate(None, ASCII))
            place -= len(block)
        return bytes(list(shown)[:5]), bytes(sorted(odd))

    def is_mostly_utf_8(self):
        """Whether more of what is beyond ASCII can be decoded as UTF-8 than cannot."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        balance = 0
        for block in blocks(self.path, self.packing):
            text = decoder.decode(block)
            balance += len(re.findall("[^\0-\x7f\udc80-\udcff]", text)) - len(re.findall("[\udc80-\udcff]", text))
        return balance > 0


def can_be_decoded(odd, page):
    """Whether these bytes are characters of a code page, and none is one of the control characters of Latin-1."""
    try:
        odd.decode(page)
    except UnicodeDecodeError:
        return False
    return page != "latin-1" or not re.search(CONTROLS, odd)


@contextmanager
def new_copy(path, copies, ending=".txt", **options):
    """A new file in the folder `copies`, open to be written, for a copy of `path`; its `name` is its path."""
    try:
        copies.mkdir(exist_ok=True)
        options = options or {"mode": "w", "encoding": "utf-8", "newline": ""}
        with open(copies / f"{len(os.listdir(copies))}{ending}", **options) as file:
            shutil.copymode(path, file.name)
            yield file
    except OSError as error:
        raise refusal(
            f"{path} needs a copy as DuckDB reads it, which cannot be written into {copies}: {error.strerror}; make room there, "
            "or save the file as CSV, as UTF-8 with line ends of one kind."
        ) from None
