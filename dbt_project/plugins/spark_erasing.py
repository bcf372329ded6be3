"""Which rows of a Spark catalog are those of customers who are to be erased, and the tables without them."""

from dbt_common.exceptions import DbtRuntimeError

from spark_catalog import identifier, literal, numbered

# The key is the first column of these tables, and has the same name in all others. Where it was renamed, the log has both.
WITH_KEY = ("customer_clusters", "segment_changes")
PROFILES = "segment_attribute_profiles"
# A refused record is that of a customer where the key occurs in it: the first word of a text as a whole word, and then all of it;
# a number as a number, however it is written. Rather too many records go than too few.
RECORD = r"""concat(raw_record, '\n', replace(replace(replace(raw_record, '""', '"'), '\\"', '"'), '\\\\', '\\'))"""
WORDS = rf"regexp_extract_all({RECORD}, '[\\p{{L}}\\p{{N}}]+', 0)"
WORD = r"regexp_extract(erased.key, '[\\p{L}\\p{N}]+', 0)"
NUMBERS = rf"""
    transform(
        concat(
            regexp_extract_all({RECORD}, '[0-9]+', 0),
            regexp_extract_all({RECORD}, '[0-9]*[.]?[0-9]+[eE][+-]?[0-9]+', 0)
        ),
        number -> try_cast(try_cast(number as double) as decimal(38, 0))
    )
"""


def value_of(data_type):
    """The SQL of a key as a value of the type of a column, NULL where it is none: a text as it is, a number as builds read it."""
    if data_type == "string":
        return "erased.key"
    is_fraction = "erased.key rlike '[.eE]' and coalesce(try_cast(erased.key as decimal(38, 18)) % 1 <> 0, true)"
    return f"case when not contains(erased.key, '_') and not ({is_fraction}) then try_cast(erased.key as {data_type}) end"


class Erasing:
    def __init__(self, catalog, keys):
        """`keys` are numbers and texts, as in the source."""
        self.catalog = catalog
        self.keys = [str(key).strip(" \t") for key in (keys if isinstance(keys, list) else [keys])]
        if not any(self.keys):
            raise DbtRuntimeError("No key is given: dbt run-operation erase --args '{keys: [4711]}'.")
        rows = ", ".join(f"({literal(key)})" for key in self.keys if key)
        catalog.session.sql(f"select * from values {rows} as erased (key)").createOrReplaceTempView("erased")
        self.tables, self.names, self.types, self.found = {}, set(), {}, set()
        self.n_rows = self.n_refused = 0

    def look(self, schema, names):
        """Remember the columns of these tables, and which of them are keys."""
        for name in names:
            self.tables[schema, name] = columns = self.catalog.columns(schema, name)
            base = numbered(name)[0] if numbered(name) else name
            if base.endswith(WITH_KEY):
                key = next(iter(columns))
                self.names.add(key)
                self.types[columns[key]] = key

    def condition(self, columns):
        """SQL: whether a row of a table with these `columns` is that of a customer in `erased`; None where it has no key."""
        conditions = [f"records.{identifier(name)} = {value_of(columns[name])}" for name in self.names & set(columns)]
        if "raw_record" in columns:
            if "string" in self.types:
                conditions.append(f"({WORD} = '' or array_contains({WORDS}, {WORD})) and contains({RECORD}, erased.key)")
            if set(self.types) - {"string"}:
                conditions.append(f"array_contains({NUMBERS}, abs(try_cast({value_of('decimal(38, 0)')} as decimal(38, 0))))")
        return " or ".join(f"({one})" for one in conditions) or None

    def n_customers(self):
        """How many of the keys are those of customers. Refused where a key cannot be one, or none is in any table."""
        is_none = " and ".join(f"{value_of(data_type)} is null" for data_type in self.types) or "false"
        for row in self.catalog.rows(f"select key from erased where {is_none} limit 1"):
            data_type, name = next(iter(self.types.items()))
            raise DbtRuntimeError(f"{row['key']!r} is no {name}, which is of the type {data_type}; correct it.")
        anywhere, customers = set(), set()
        for (schema, name), columns in self.tables.items():
            condition = self.condition(columns)
            if condition:
                query = f"select distinct erased.key from {identifier(schema, name)} as records inner join erased on {condition}"
                keys = {row["key"] for row in self.catalog.rows(query)}
                anywhere |= keys
                if self.names & set(columns):
                    customers |= keys
                if keys:
                    self.found.add((schema, name))
        missing = [key for key in self.keys if key and key not in anywhere]
        if not anywhere:
            raise DbtRuntimeError("The key is in no build." if len(self.keys) == 1 else "None of the keys is in any build.")
        self.missing = missing
        # 7 and 0007 are one customer.
        values = ", ".join(f"cast({value_of(data_type)} as string)" for data_type in self.types)
        of_customers = ", ".join(map(literal, sorted(customers))) or "null"
        query = f"select count(distinct array({values})) as n from erased where key in ({of_customers})"
        return self.catalog.rows(query)[0]["n"]

    def write(self, number, needed):
        """Write the tables anew for build `number`, those of work that are `needed` and those of the state.

        Returns {(schema, old name): new name}.
        """
        new_names = {}
        for schema, name in sorted(self.found):
            if schema == self.catalog.work and name not in needed:
                continue
            new = self.new_name(schema, name, number)
            new_names[schema, name] = new
            if schema == self.catalog.state and numbered(name):
                continue  # a copy of an earlier erasure: what is read from it is in the table itself
            self.copy(schema, name, new, self.condition(self.tables[schema, name]))
        for schema, name in list(self.tables):
            if schema == self.catalog.work and name in needed and numbered(name)[0] == PROFILES:
                new = self.new_name(schema, name, number)
                self.copy_profiles(name, new, new_names)
                new_names[schema, name] = new
        return new_names

    def new_name(self, schema, name, number):
        if schema == self.catalog.state:
            return f"{numbered(name)[0] if numbered(name) else name}__{number}"
        base, generation = numbered(name)
        return f"{base}__{generation.split('_')[0]}_{number}"

    def copy(self, schema, name, new, condition):
        old, place = identifier(schema, name), identifier(schema, new)
        partitioned = "partitioned by (build_id)" if schema == self.catalog.state else ""
        self.catalog.run(
            f"create table {place} using {self.catalog.format(schema, name)} {partitioned} as "
            f"select records.* from {old} as records left anti join erased on {condition}"
        )
        counted = self.catalog.rows(f"select (select count(*) from {old}) - (select count(*) from {place}) as n")[0]["n"]
        self.n_rows += counted
        if "raw_record" in self.tables[schema, name]:
            self.n_refused += counted

    def copy_profiles(self, name, new, new_names):
        """What the profiles of attributes say of a value that nobody else has goes with its customer."""
        work = self.catalog.work
        generation = numbered(name)[1]
        before = f"customer_clusters__{generation}"
        after = new_names.get((work, before), before)
        conditions = []
        if (work, before) in self.tables:
            attributes = self.catalog.rows(f"select distinct attribute from {identifier(work, name)}")
            for attribute in sorted(row["attribute"] for row in attributes if row["attribute"] in self.tables[work, before]):
                values = [
                    f"select cast({identifier(attribute)} as string) from {identifier(work, table)} "
                    f"where {identifier(attribute)} is not null"
                    for table in (before, after)
                ]
                conditions.append(
                    f"(attribute <> {literal(attribute)} or attribute_value is null "
                    f"or attribute_value not in ({values[0]} except {values[1]}))"
                )
        self.copy(work, name, new, f"not ({' and '.join(conditions)})" if conditions else "false")

    def report(self, number, source):
        """Line by line, what is to be said of it."""
        n_keys = len(self.keys) - len(self.missing)
        yield (
            f"Erased {n_keys:,} of {len(self.keys):,} keys: {self.n_rows:,} rows of the schemas {self.catalog.work} and "
            f"{self.catalog.state}; {self.n_refused:,} of them are refused rows in which a key occurs."
        )
        yield f"What is published is build {number} now. What was made besides is dropped; dbt makes it again."
        yield f"Whoever is still in {source} or in the orders comes back with the next build."
        yield "Sources, backups, old versions of Delta and Iceberg tables, and what other programs have read are out of reach."
