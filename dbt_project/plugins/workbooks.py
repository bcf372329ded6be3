"""Workbooks: Excel (.xlsx, .xlsm, .xlsb, .xls) and OpenDocument (.ods), whose sheets are copied as JSON lines for DuckDB.

Each row of a sheet is a line of its copy, so that the line has the number of the row. A row is an object with the headers as
keys; rows that are no records, blank ones and those up to the header, are blank lines. Numbers, yes and no stay what they are,
dates are written as ISO has them, and a cell with an error such as #N/A is empty.

calamine holds a sheet in memory while it is copied, and no more than one.
"""

import fnmatch
import json
import zipfile

from refusals import refusal
from text_files import SEPARATOR, new_copy

try:
    import python_calamine as calamine
except ImportError:
    # In an environment of before workbooks were read, all other files are read as ever.
    calamine = None

# How workbooks begin: those of today, which are zips with one of these parts, and those of before 2007 or with a password.
BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
# From here on not every whole number is a number of Excel.
END_OF_WHOLE_NUMBERS = 2**53


def is_workbook(path):
    with open(path, "rb") as file:
        if file.read(8) == BEGINNINGS[1]:
            return True
        try:
            with zipfile.ZipFile(file) as archive:
                return any(part in archive.namelist() for part in PARTS)
        except (zipfile.BadZipFile, OSError):
            return False


def copied_sheets(path, content, source, copies, notes):
    """The sheets of the workbook `path` that are to be read, each as a file of a source: see source_files.

    `content` is the file that holds the workbook, which is another one where that is packed. What is to be said on the console is
    appended to `notes`. Raises where the workbook cannot be read, or has no such sheet.
    """
    if calamine is None:
        raise refusal(f"{path} is a workbook, for which the package python-calamine is missing; make build installs it.")
    try:
        with open(content, "rb") as file, calamine.CalamineWorkbook.from_filelike(file) as workbook:
            if source.get("sheet"):
                files = [copied_sheet(path, workbook, name, source, copies) for name in named_sheets(path, workbook, source)]
            else:
                files = [first_sheet(path, workbook, source, copies, notes)]
    except calamine.PasswordError:
        raise refusal(f"{path} has a password; save it without one.") from None
    except calamine.CalamineError as error:
        said = (str(error).splitlines() or [""])[0].rstrip(".")
        raise refusal(f"{path} cannot be read as a workbook: {said}; is it whole? Save it anew, or its sheet as CSV.") from None
    files = [file for file in files if file]
    if not files:
        raise refusal(f"{path} is empty; give a workbook with a row of headers and one row for each record.")
    return files


def named_sheets(path, workbook, source):
    """The names of the sheets that the setting stands for: the sheet of that name, or else those that it is a pattern of."""
    names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    name = str(source["sheet"])
    found = [name] if name in names else [other for other in names if fnmatch.fnmatchcase(other, name)]
    if not found:
        raise refusal(f'{path} has no sheet "{name}"; its sheets are {quoted(names)}; name one of them {setting(source)}.')
    return found


def first_sheet(path, workbook, source, copies, notes):
    """The first sheet that can be seen and has cells, None where there is none; with a note where it is not the only one."""
    first = None
    for sheet in workbook.sheets_metadata:
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet or sheet.visible != calamine.SheetVisibleEnum.Visible:
            continue
        if not first:
            first = copied_sheet(path, workbook, sheet.name, source, copies)
        elif workbook.get_sheet_by_name(sheet.name).end:
            notes.append(
                f'{first["path"]}, is read, because it is the first one that has cells; "{sheet.name}" has some, too. To read '
                f"another one, or several, name them {setting(source)}."
            )
            break
    return first


def setting(source):
    return f"with sheet: under source: in dbt_project.yml, vars, {source['block']}"


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def copied_sheet(path, workbook, name, source, copies):
    """One sheet as a file of a source, None where it has no cells."""
    sheet = workbook.get_sheet_by_name(name)
    if not sheet.end:
        return None
    place = f"{path}, sheet {name}"
    fields = source.get("fields")
    headers, keys, n_rows = None, None, 0
    with new_copy(path, copies) as copy:
        for n_rows, row in enumerate(sheet.iter_rows(), start=1):
            line = ""
            if headers is not None:
                line = record(keys, row)
            elif n_rows > source.get("skip_lines", 0) and is_header(row, source.get("comment")):
                headers = fields or [header(cell) for cell in row]
                if len(headers) != len(row):
                    raise refusal(
                        f"{place}: its first row does not have the {len(fields)} fields that fields: in dbt_project.yml, vars, "
                        f"{source['block']} names, but {len(row)}; name every column of the sheet, in order."
                    )
                keys = distinct_keys(headers, sheet.start[1])
                line = record(keys, row) if fields else ""
            copy.write(line + "\n")
    if headers is None:
        raise refusal(f"{place}, has no row of headers; give a sheet with one, and one row for each record below it.")
    return {"path": place, "opened": copy.name, "format": "utf-8", "n_lines": n_rows, "headers": headers, "keys": keys}


def is_header(row, comment):
    """Whether a row has something in its cells that is not a comment."""
    text = next(filter(None, map(header, row)), "")
    return text and not (comment and text.startswith(comment))


def header(cell):
    return str(whole(cell)).strip()


def distinct_keys(headers, first_column):
    """The headers; the letter of the column is the key where there is none, and is added to one that was there before."""
    keys = []
    for number, name in enumerate(headers, start=first_column + 1):
        letters = ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("A") + rest) + letters
        keys.append(letters if not name else f"{name} ({letters})" if name in keys else name)
    return keys


def record(keys, row):
    """A row as a line of JSON, without the cells that have nothing in them, or spaces alone; '' where all are so."""
    cells = {key: whole(cell) for key, cell in zip(keys, row, strict=True) if not isinstance(cell, str) or cell.strip()}
    return json.dumps(cells, ensure_ascii=False, default=str).replace(SEPARATOR, "\\udbff\\udfff") if cells else ""


def whole(cell):
    """What is in a cell; all numbers of Excel have decimals, and a customer is 4711, not 4711.0."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < END_OF_WHOLE_NUMBERS else cell
