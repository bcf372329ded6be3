"""What a Python model asks of its session, which is a connection of DuckDB or a session of Spark, in the same words for both.

A frame is what `dbt.ref` and a query give: a relation or a data frame, of which nothing is computed before it is needed. The type
of a column is a word that both engines read, such as double; of lists it is [type], and of structs {name: type}.
"""

import datetime
import json
import math

UTC = datetime.timezone.utc
# Of 2,048 rows each: some megabytes are in memory at a time.
VECTORS = 50


def engine_of(session):
    return DuckDB(session) if hasattr(session, "from_df") else Spark(session)


class DuckDB:
    packages = ("duckdb", "dbt-core", "dbt-duckdb")

    def __init__(self, session):
        self.session = session

    def query(self, sql, **frames):
        """The frame of a query in which {name} stands for each of the `frames`."""
        return self.session.sql(sql.format(**{name: f"({frame.sql_query()})" for name, frame in frames.items()}))

    def records(self, frame):
        """The rows of a small frame as dictionaries: lists and structs as lists and dictionaries, NULL as None, times in UTC."""
        return [dict(zip(frame.columns, row, strict=True)) for row in frame.fetchall()]

    def arrays(self, frame):
        """{column: array (n,)} of a frame of numbers that fits into memory."""
        return frame.fetchnumpy()

    def all_customers(self, frame, expressions):
        """All rows of a frame, of any size, for a fit to ask; `expressions` {column: SQL} make points of its columns."""
        from segmentation.all_customers import Blocks

        def blocks():
            points = frame.project(", ".join(f"{expression} as {name}" for name, expression in expressions.items()))
            while len(block := points.fetch_df_chunk(VECTORS)):
                yield block.to_numpy()

        return Blocks(blocks)

    def type_of_few(self, texts):
        """The type of a column that has no other texts than those in a frame: numbers that stand for them take a fraction of the
        time.
        """
        return f"enum({', '.join(_literal(text) for (text,) in texts.fetchall())})"

    def frame(self, types, row=None):
        """A frame with columns of these `types` and one row, or none. Of numbers NaN becomes NULL; times are in UTC."""
        columns = ", ".join(f"cast(${name} as {_duckdb_type(data_type)}) as {name}" for name, data_type in types.items())
        values = _plain(row or dict.fromkeys(types), types)
        return self.session.sql(f"select {columns}", params=values).filter("true" if row else "false")


class Spark:
    packages = ("pyspark", "dbt-core", "dbt-spark")

    def __init__(self, session):
        self.session = session

    def query(self, sql, **frames):
        return self.session.sql(sql, **frames)

    def records(self, frame):
        return [{name: _in_utc(value) for name, value in row.asDict(recursive=True).items()} for row in frame.collect()]

    def arrays(self, frame):
        # From Spark 4 on: a million rows in a fifth of the time and of the memory.
        if hasattr(frame, "toArrow"):
            return {name: column.to_numpy() for name, column in zip(frame.columns, frame.toArrow().columns, strict=True)}
        import numpy as np

        rows = frame.collect()
        return {name: np.array([row[place] for row in rows]) for place, name in enumerate(frame.columns)}

    def all_customers(self, frame, expressions):
        from segmentation.all_customers import Aggregates

        return Aggregates(lambda sql: self.query(sql, customers=frame).collect(), list(expressions.values()))

    def type_of_few(self, texts):
        return "string"

    def frame(self, types, row=None):
        from pyspark.sql import functions

        # By way of a text: rows that Python gives are read by a Python on each executor, which need not be there. The text is no
        # parameter of a query, for the parser of Delta loses those.
        text = json.dumps(_plain(row or dict.fromkeys(types), types), default=lambda time: time.replace(tzinfo=UTC).isoformat())
        schema = ", ".join(f"`{name}` {_spark_type(data_type)}" for name, data_type in types.items())
        rows = functions.inline(functions.array(functions.from_json(functions.lit(text), schema)))
        return self.session.sql("select 1 as one").select(rows).where("true" if row else "false")


def _literal(text):
    """A text in a query, where curly brackets stand for frames."""
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def _plain(value, data_type):
    """A value as one of Python's own types, None for NaN."""
    if value is None:
        return None
    if isinstance(data_type, dict):
        if value.keys() != data_type.keys():
            raise KeyError(f"{', '.join(sorted(value.keys() ^ data_type.keys()))}: the value has it, or its type, and not both")
        return {name: _plain(value[name], field_type) for name, field_type in data_type.items()}
    if isinstance(data_type, list):
        return [_plain(item, data_type[0]) for item in value]
    if data_type == "double":
        return None if math.isnan(value) else float(value)
    return int(value) if data_type in ("integer", "bigint") else value


def _duckdb_type(data_type):
    if isinstance(data_type, dict):
        return f"struct({', '.join(f'{name} {_duckdb_type(field_type)}' for name, field_type in data_type.items())})"
    return f"{_duckdb_type(data_type[0])}[]" if isinstance(data_type, list) else data_type


def _spark_type(data_type):
    if isinstance(data_type, dict):
        return f"struct<{', '.join(f'{name}: {_spark_type(field_type)}' for name, field_type in data_type.items())}>"
    return f"array<{_spark_type(data_type[0])}>" if isinstance(data_type, list) else data_type


def _in_utc(value):
    """Python has times from Spark in the time zone of the machine."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime.datetime) else value
