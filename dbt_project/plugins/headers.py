"""Which column of the configuration stands where among the headers of a file."""

import unicodedata
from functools import lru_cache

from refusals import refusal

# Below it the suggestions are noise: unrelated English words score 0.4 to 0.7.
LEAST_SIMILARITY = 0.8


# Ten thousand files of a pattern have the same headers as a rule.
@lru_cache(maxsize=1000, typed=True)
def comparable(header):
    """A header without what does not matter: case, underscores, spaces of every kind, and how Unicode spells a character."""
    text = unicodedata.normalize("NFKC", str(header)).lower()
    # Format characters, such as a byte order mark and joiners, are not to be seen either.
    return "".join(one for one in text if not (one.isspace() or one == "_" or unicodedata.category(one) == "Cf"))


def accepted_headers(column):
    return [column["name"], *column["headers"]]


def positions_of(columns, headers):
    """{name of a configured column: the positions of its headers, from 1}, without the columns that have none."""
    positions = {}
    for column in columns:
        accepted = {comparable(name) for name in accepted_headers(column)}
        found = [position for position, header in enumerate(headers, start=1) if comparable(header) in accepted]
        if found:
            positions[column["name"]] = found
    return positions


def personal_positions(personal, headers, *, of_others):
    """The positions of the columns that the configuration calls `personal`, but for those that are read as another column."""
    names = {column["name"] for column in personal}
    read = {position for name, found in of_others.items() if name not in names for position in found}
    found = {position for positions in positions_of(personal, headers).values() for position in positions}
    return sorted(found - read)


def require_every_column(reader, path, headers, positions, source, columns):
    """Raise where a column stands in the file twice, or not at all and nothing makes up for it."""
    missing = []
    for column in columns:
        name, instead = column["name"], column.get("instead", [])
        found = positions.get(name, [])
        if len(found) > 1:
            doubled = '" and "'.join(str(headers[position - 1]) for position in found)
            raise refusal(f'{path} has more than one column for {name}, "{doubled}"; rename or remove all but one of them.')
        if not found and not column.get("is_optional") and not (instead and all(other in positions for other in instead)):
            taken = {position for found in positions.values() for position in found}
            nearest = nearest_header(
                reader, column, [header for position, header in enumerate(headers, 1) if position not in taken]
            )
            missing.append(
                name
                + (f" or {' and '.join(instead)}" if instead else "")
                + (f' (the nearest header is "{nearest}")' if nearest else "")
            )
    if missing:
        kind, those = ("table", "its columns are") if source.get("relation") else ("file", "its first line is")
        remedy = (
            f"what the {kind} does not have can be removed there."
            if source["block"] == "segmentation" or kind == "table"
            else "where there is no header, name its fields under fields: there."
        )
        if not positions and kind == "file":
            remedy = f"{remedy[:-1]}; where other lines stand above the header, skip them with skip_lines: under source: there."
        # Where nothing in it is known it may be no header, and hold what is personal.
        is_to_be_shown = positions or kind == "table" or not source.get("personal")
        what_it_has = f'; {those} "{", ".join(map(str, headers))[:200]}"' if is_to_be_shown else ""
        raise refusal(
            f"{path} has no column for {', nor for '.join(missing)}{what_it_has}; rename the header in the {kind}, or add it "
            f"under headers: in dbt_project.yml, vars, {source['block']}; {remedy}"
        )


def nearest_header(reader, column, headers):
    """The header that reads most like one of those accepted for a column, or None where none is close."""
    pairs = [(header, accepted) for header in headers for accepted in accepted_headers(column)]
    if not pairs:
        return None
    similarities = reader.similarities([(comparable(header), comparable(accepted)) for header, accepted in pairs])
    similarity, (nearest, _) = max(zip(similarities, pairs, strict=True), key=lambda pair: pair[0])
    return nearest if similarity > LEAST_SIMILARITY else None


def columns_to_read(columns, positions):
    """The columns that a file has; what makes up for another is required of every record, and no other substitute is read."""
    needed = {other for column in columns if column["name"] not in positions for other in column.get("instead", [])}
    return [
        {**column, "missing": "reject"} if column["name"] in needed else column
        for column in columns
        if column["name"] in positions and (column["name"] in needed or not column.get("is_substitute"))
    ]
