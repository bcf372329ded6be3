"""Files of keys, one per line, and a key as a value of the type that keys have."""


def value_of(data_type, key="key"):
    """The SQL of a key as a value of the type of a column, NULL where it is none: a text as it is, a number as builds read it."""
    if data_type == "VARCHAR":
        return key
    fraction = f"regexp_matches({key}, '[.eE]') and coalesce(try_cast({key} as decimal(38, 18)) % 1 <> 0, true)"
    return f"case when not contains({key}, '_') and not ({fraction}) then try_cast({key} as {data_type}) end"


def read_keys(path):
    """The keys in a file, one per line, in the order of their lines; an empty text for an empty line.

    Raises a ValueError with a sentence where it cannot be read.
    """
    try:
        return [line.strip(" \t") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{path} cannot be read: {problem}. It should hold one key per line, in UTF-8.") from None


def make_table(session, name, keys):
    """Make the temporary table `name`, (line, key), of keys that are not empty."""
    lines = [(line, key) for line, key in enumerate(keys, start=1) if key]
    columns = [[line for line, _ in lines], [key for _, key in lines]]
    session.execute(f"create temp table {name} as select unnest(?::integer[]) as line, unnest(?::varchar[]) as key", columns)
