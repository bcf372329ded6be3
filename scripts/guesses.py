"""What the columns of a table of customers or of orders are for, as settings of the configuration with what they rest on."""

import json
import re

from inspection import KEY_WORDS, MAIL_WORDS, READ_SHARE, SAMPLE, QuestionError, Table, in_words, number, sentence, words_of
from reading import comparable
from warehouse import plural

from ways_of_writing import NO, YES

# Fewer different numbers make groups of their own: they describe segments better than they form them.
FEWEST_VALUES = 10
# Distances in more features are such that nobody can say why a customer is where.
MOST_FEATURES = 10
# Nobody reads longer profiles.
MOST_ATTRIBUTES = 20
# From there on two features say nearly the same (Tabachnick and Fidell 2013), as feature_diagnostics says.
SAME = 0.9
# Rows that tell so.
PAIRS_SAMPLE = 10_000
# Of the known texts, from which on they are remarks, names or the like.
DIFFERENT_TEXTS = 0.5

PERSONAL_WORDS = {
    *MAIL_WORDS,
    "phone",
    "telephone",
    "mobile",
    "fax",
    "surname",
    "firstname",
    "lastname",
    "address",
    "street",
    "iban",
}
PERSONAL_NAMES = re.compile("(((first|last|full|given|family|middle|customer|client|contact|person)_?)?name)")
BIRTH_WORDS = {"birth", "born", "birthday", "birthdate", "dob"}
CUSTOMER_WORDS = {*MAIL_WORDS, "customer", "client", "member", "user", "account", "buyer"}
# What columns of orders are called, the likeliest first.
ROLES = {
    "date": [
        "(order|invoice|purchase|transaction)_?(date|time|datetime)",
        "ordered_at|date|datetime|day",
        "(paid|created)_(at|on)",
    ],
    "refunded": ["refund(ed)?(_amount)?|amount_refunded"],
    "amount": [
        "amount|(order|line)_?(amount|total|value)",
        "total(_(amount|price|value))?|(net|gross)_(amount|total)",
        "revenue|sales|turnover|value|subtotal",
    ],
    "unit_price": ["(unit_?|line_?item_|item_)price|price"],
    "quantity": ["((line_?)?item_)?(quantity|qty)|units|pieces"],
    "order_id": ["(order|invoice|transaction|receipt|basket)_?(id|no|nr|num|number|key|code)", "order|invoice|name"],
    "status": ["(order_|financial_|payment_)?(status|state)"],
    "currency": ["currency(_code)?"],
    "cancelled": ["(is_)?(cancell?ed|returned|return)"],
    "product": ["(product|item|line_?item|sku|stock|article)(_(name|code|id|no|title))?|description"],
}
NUMBERS = ("refunded", "amount", "unit_price", "quantity")


def flow(value):
    """A value in one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    is_word = isinstance(value, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", value)
    if is_word and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return value
    return json.dumps(value, ensure_ascii=False)


def comment(text, indent, width=130):
    """A comment of YAML, in as many lines as it needs."""
    lines = [""]
    for word in re.sub(r"[^\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufffd]", " ", text).split():
        if lines[-1] and len(lines[-1]) + len(word) >= width - indent - 2:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [f"{' ' * indent}# {line}" for line in lines if line]


def percent(share):
    return f"{100 * share:.3g} %"


def entry(column, **settings):
    """A column as one line of YAML."""
    headers = {} if comparable(column.header) == comparable(column.name) else {"headers": [column.header]}
    unit = column.unit or (column.way or {}).get("currency")
    unit = {"unit": unit} if unit and column.way is not None else {}
    return flow({"name": column.name, **headers, **settings, **unit})


def source_lines(source, variable):
    comments = [f"      # For one run another file: --vars '{{{variable}: path}}'. docs/sources.md has the other settings."]
    return ["    source:", *comments, *(f"      {name}: {flow(value)}" for name, value in source.items())]


def listed(names, most=10):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class Customers(Table):
    """A table of customers: its `key`, the `features` that form segments, the `attributes` that describe them.

    `attributes` are (column, settings, what they rest on); `further_features` would do as features, too.
    """

    def __init__(self, connection, folder, source, place=None):
        super().__init__(connection, folder, source, place)
        self.attributes, self.features, self.further_features = [], [], []
        self.key, self.key_settings, self.key_comment = self.guessed_key()
        numeric = [column for column in self.columns if column is not self.key and not self.is_described(column)]
        self.choose_features(numeric)
        self.left_out |= {
            column.header: f"{MOST_ATTRIBUTES} attributes are enough" for column, *_ in self.attributes[MOST_ATTRIBUTES:]
        }
        del self.attributes[MOST_ATTRIBUTES:]
        if not self.features:
            self.questions.append(
                f"{self.place}: no column has {FEWEST_VALUES} different numbers or more to form segments from; list under "
                "features what they are to be formed from."
            )

    def guessed_key(self):
        """(the column that identifies a customer, or None; its settings; what they rest on)."""
        whole = [column for column in self.columns if (column.way is None or column.is_whole) and not column.date_format]
        mangled = [c for c in self.columns if c.words & KEY_WORDS and c.texts["n_exponents"] > 0.5 * self.n_rows]
        # The number of different values is an estimate, by a fifth too low for ids that follow each other.
        near = [c for c in whole if c.texts["n_known"] >= READ_SHARE * self.n_rows and c.texts["n_values"] >= 0.5 * self.n_rows]
        counts = {column.field: self.distinct(column) for column in [*near, *mangled]}
        unique = [column for column in near if counts[column.field][0] == self.n_rows]
        nearly = [column for column in near if counts[column.field][0] >= READ_SHARE * column.texts["n_known"]]
        for candidates in (
            mangled,
            [column for column in unique if column.words & KEY_WORDS],
            [column for column in unique if column.words & MAIL_WORDS],
            [column for column in nearly if column.words & (KEY_WORDS | MAIL_WORDS)],
            [column for column in unique if not self.is_personal(column)],
        ):
            if candidates:
                break
        else:
            return (
                None,
                None,
                (
                    "No column has another value in every row, so that rows are numbered. A number says nothing of the same "
                    "customer tomorrow: there is no history. A customer that several columns identify together would have "
                    "key: {name: customer, columns: [shop, customer_no]}."
                ),
            )
        key, *others = candidates
        n_values, n_folded = counts[key.field]
        texts, is_named = key.texts, bool(key.words & (KEY_WORDS | MAIL_WORDS))
        said = [f"{n_values:,} different values in {plural(self.n_rows, 'row')}{', and the name says so' if is_named else ''}."]
        if not is_named:
            said.append("Is it what identifies a customer?")
        if others:
            said.append(f"As unique: {listed([column.header for column in others], 3)}.")
        settings = {"data_type": "varchar"}
        if texts["n_exponents"]:
            self.questions.append(
                f"{self.place}, {key.header}: {texts['n_exponents']:,} keys, such as {texts['highest_text']}, have lost digits, "
                "as in spreadsheets; format the column as text, or as a number without decimals, and export it anew."
            )
        elif n_folded < n_values or (key.words & MAIL_WORDS and texts["n_addresses"] == texts["n_known"]):
            settings = {"case": "fold"}
            said.append("Capital and small letters are the same in an e-mail address." if key.words & MAIL_WORDS else "")
            said.append(f"Without case {n_folded:,} values are left." if n_folded < n_values else "")
        elif texts["n_led_by_zero"]:
            said.append("Some begin with 0, which texts keep.")
        elif texts["n_digits"] == texts["n_known"]:
            settings = {"data_type": "bigint"} if self.fits_bigint(key) else settings
            said.append("" if self.fits_bigint(key) else "Some are too large for bigint.")
        n_repeats = texts["n_known"] - (n_folded if "case" in settings else n_values)
        if n_repeats and not texts["n_exponents"]:
            said.append(f"Of rows with the same key the first one is used; {n_repeats:,} will be refused.")
        return key, settings, " ".join(filter(None, said))

    def distinct(self, column):
        """How many different values there are, and how many without case."""
        query = f"select count(distinct {column.field}), count(distinct lower({column.field})) from customers"
        return self.connection.execute(query).fetchone()

    def fits_bigint(self, column):
        query = f"select count(*) = count(try_cast({column.field} as bigint)) from customers where {column.field} is not null"
        return self.connection.execute(query).fetchone()[0]

    def is_personal(self, column):
        has_name = PERSONAL_NAMES.fullmatch("_".join(words_of(column.header)))
        return bool(column.words & PERSONAL_WORDS or has_name) or column.texts["n_addresses"] > 0.5 * column.texts["n_known"]

    def is_described(self, column):
        """Whether a column is an attribute or left out, which is noted, and no candidate for a feature."""
        texts, values = column.texts, column.numbers
        if not texts["n_known"]:
            self.left_out[column.header] = "it is empty"
        elif texts["lowest_text"] == texts["highest_text"]:
            self.left_out[column.header] = f"every known value is {json.dumps(texts['lowest_text'], ensure_ascii=False)}"
        elif self.is_personal(column):
            said = "It looks like personal data, which stays out of all that is published."
            self.attributes.append((column, {"personal": True}, said))
        elif column.date_format:
            counted = "age_years" if column.words & BIRTH_WORDS else "days_since"
            said = f"Dates, such as {texts['lowest_text']}. {column.remark} As a feature: as: {counted}, with a reference_date."
            format = {} if column.date_format == "iso" else {"format": column.date_format}
            self.attributes.append((column, {"data_type": "date", **format}, said))
        elif column.way is None:
            self.describe_text(column)
        elif column.is_whole and column.is_numbered:
            self.describe_text(column, f"numbers that are names, such as {texts['lowest_text']}")
        elif values["n_values"] < FEWEST_VALUES and not column.is_open:
            self.describe_text(column, f"{values['n_values']} different numbers make groups of their own")
        elif values["commonest_share"] > 0.99:
            self.left_out[column.header] = f"{percent(values['commonest_share'])} of its values are {number(values['commonest'])}"
        elif texts["n_known"] < 0.5 * self.n_rows:
            self.left_out[column.header] = f"{percent(1 - texts['n_known'] / self.n_rows)} of the rows have no value"
        else:
            return False
        return True

    def describe_text(self, column, why=None):
        n_values, _ = self.distinct(column)
        if n_values > max(50, DIFFERENT_TEXTS * column.texts["n_known"]):
            remark = f" ({column.remark.rstrip('.')})" if column.remark else ""
            self.left_out[column.header] = f"its values differ in most rows{remark}"
            return
        if not why and self.is_yes_or_no(column):
            said = f"Yes or no, written as {json.dumps(column.texts['lowest_text'], ensure_ascii=False)} and the like."
            self.attributes.append((column, {"data_type": "boolean"}, said))
            return
        why = why or f"{n_values:,} different texts, such as {json.dumps(column.texts['lowest_text'], ensure_ascii=False)}"
        self.attributes.append((column, {}, f"{sentence(why)} {column.remark}".strip()))

    def is_yes_or_no(self, column):
        query = f"select distinct lower({column.field}) from customers where {column.field} is not null limit 20"
        words = {word for (word,) in self.connection.execute(query).fetchall()}
        return bool(words & YES and words & NO and words <= YES | NO)

    def choose_features(self, numeric):
        """Of columns that say the same, the first; of more than MOST_FEATURES, those that together say most about all."""
        if not numeric:
            return
        fields = ", ".join(column.field for column in numeric)
        sample = self.connection.sql(
            f"select {fields} from numbers using sample reservoir({PAIRS_SAMPLE} rows) repeatable (1)"
        ).df()
        # Of ranks, so that neither a tail nor an outlier makes two columns alike, or hides that they are.
        correlations = sample.rank().corr().fillna(0).to_numpy()
        kept = []
        for place, column in enumerate(numeric):
            same = next((other for other in kept if abs(correlations[place, other]) >= SAME), None)
            if same is None:
                kept.append(place)
            else:
                correlation = f"rank correlation {correlations[place, same]:.2f}"
                self.left_out[column.header] = f"it says nearly the same as {numeric[same].header} ({correlation})"
        chosen = kept
        if len(kept) > MOST_FEATURES:
            chosen = [kept[place] for place in principal_variables(correlations[kept][:, kept], MOST_FEATURES)]
        self.features = [numeric[place] for place in sorted(chosen)]
        self.further_features = [numeric[place] for place in kept if place not in chosen]

    def feature(self, column):
        """(what it rests on, line of YAML)."""
        values, texts, settings = column.numbers, column.texts, dict(column.way)
        among = f" among {SAMPLE:,} rows" if self.n_rows > SAMPLE else ""
        said = [f"{number(values['lowest'])} to {number(values['highest'])}, {values['n_values']:,} different values{among}."]
        said.append(column.remark or (f"All are read with {in_words(column.way)}." if column.way else ""))
        if not column.way and column.is_whole and max(abs(values["lowest"]), abs(values["highest"])) < 2**31:
            settings["data_type"] = "integer"
            said.append("All are whole.")
        if column.bounds:
            settings["range"] = column.bounds
            said.append(
                f"The name gives the range{f', and {column.n_outside:,} outside will be refused' if column.n_outside else ''}."
            )
        elif values["lowest"] >= 0:
            settings["range"] = [0, None]
            said.append("None is below 0: can there be none?")
        if values["is_heavy"]:
            shape = f"skewness {values['skewness']:.1f}, excess kurtosis {values['excess_kurtosis']:.1f}"
            said.append(f"A few values outweigh all others ({shape}).")
            if values["is_helped"]:
                settings["transform"] = "log1p" if values["is_for_log1p"] else "yeo-johnson"
            else:
                said.append("No transform helps: feature_diagnostics will say what does.")
        if texts["n_known"] < self.n_rows:
            settings["missing"] = "median"
            share = percent(1 - texts["n_known"] / self.n_rows)
            said.append(f"{share} have no value and get the median; missing: reject would leave them out.")
        return " ".join(filter(None, said)), entry(column, **settings)

    def settings(self, source):
        """{setting: lines of YAML} of the block `segmentation:`."""
        key = f"    key: {entry(self.key, **self.key_settings)}" if self.key else "    key: row_number"
        attributes = []
        for column, settings, said in self.attributes:
            attributes += [*comment(said, 6), f"      - {entry(column, **settings)}"]
        features = []
        for column in self.features:
            said, line = self.feature(column)
            features += [*comment(said, 6), f"      - {line}"]
        if self.further_features:
            n = len(self.features) + len(self.further_features)
            said = f"Of {n} columns of numbers these {len(self.features)} say most about all of them, by their rank correlations."
            features += comment(f"{said} Should customers differ by another one? Then take it in, and one of these out:", 6)
            features += [f"      # - {self.feature(column)[1]}" for column in self.further_features]
        for header, why in self.left_out.items():
            features += comment(f"Not used: {header}, because {why}.", 6)
        return {
            "source": source_lines(source, "customers_file"),
            # Behind the setting, where it belongs to it: what stands above stays when the setting is written anew.
            "key": [key, *comment(self.key_comment, 6)],
            "attributes": ["    attributes:", *attributes] if self.attributes else ["    attributes: []"],
            "features": ["    features:" if self.features else "    features: []", *features],
            "n_clusters": ["    n_clusters: auto             # until you choose a number: docs/choosing-k.md"],
        }

    def summary(self):
        """What was found, in lines."""
        lines = [f"{self.place} has {plural(self.n_records, 'row')} and {plural(len(self.columns), 'column')}."]
        lines.append(
            f"The key is {self.key.header}." if self.key else "There is no key, so that rows are numbered, without a history."
        )
        if self.features:
            lines.append(f"Segments are formed from {listed([column.name for column in self.features])}.")
        if self.attributes:
            lines.append(f"They are described by {listed([column.name for column, *_ in self.attributes])}.")
        unused = [*self.left_out, *(column.header for column in self.further_features)]
        return [*lines, f"Not used: {listed(unused)}."] if unused else lines


class Orders(Table):
    """A table of the orders of some customers: `roles`, {setting of the block orders: its column}."""

    def __init__(self, connection, folder, source, customers):
        key = customers.key
        if key is None:
            raise QuestionError(
                f"{source['file']}: the customers have no key, so that no order can be theirs; give them one, or no orders."
            )
        self.key_function = "lower" if "case" in customers.key_settings else ""
        connection.execute(
            f"create or replace table keys as select distinct {self.key_function}({key.field}) as key from customers"
        )
        super().__init__(connection, folder, source)
        self.roles = {}
        self.find_customer(key)
        self.find("date", [column for column in self.columns if column.date_format])
        for role in [role for role in ROLES if role != "date"]:
            self.find(role, [column for column in self.columns if role not in NUMBERS or column.way is not None])
        if "amount" in self.roles:
            self.roles.pop("unit_price", None)
        elif not {"unit_price", "quantity"} <= self.roles.keys():
            self.questions.append(
                f"{self.place}: no column of numbers is called amount or total; write its header at orders: amount."
            )
        if "date" not in self.roles:
            self.questions.append(
                f"{self.place}: no column can be read as dates; write its header and its format at orders: date."
            )

    def find_customer(self, key):
        """By the header of the key; or else by the values, most of which are keys, first where a header says so."""
        same = [column for column in self.columns if comparable(column.header) in (comparable(key.header), comparable(key.name))]
        alike = same or [column for column in self.columns if column.words & CUSTOMER_WORDS] or self.columns
        shares = [
            f"avg(case when {self.key_function}({column.field}) in (select key from keys) then 1 else 0 end)" for column in alike
        ]
        found = self.connection.execute(f"select {', '.join(shares)} from customers").fetchone()
        share, place = max((share, -place) for place, share in enumerate(found))
        if not share:
            self.questions.append(
                f"{self.place}: no column has a {key.header}; write the header of the customer at orders: customer."
            )
            return
        self.roles["customer"] = alike[-place]
        alike[-place].remark = f"{percent(share)} of the lines are of one of these customers."

    def find(self, role, columns):
        """The first column that has no other role and a name of that kind; of dates any."""
        free = [column for column in columns if column not in self.roles.values()]
        named = (c for pattern in ROLES[role] for c in free if re.fullmatch(pattern, "_".join(words_of(c.header))))
        column = next(named, free[0] if free and role == "date" else None)
        if column:
            self.roles[role] = column

    def stands_once(self, column):
        """Whether an amount is that of an order: of its several lines one has it, or all have the same."""
        if "order_id" not in self.roles:
            return False
        order = self.roles["order_id"].field
        several = f"""
            select count(distinct {column.field}) as n_amounts from customers
            where {order} is not null group by {order} having count(*) > 1
        """
        return (
            self.connection.execute(f"select coalesce(avg((n_amounts <= 1)::int), 0) from ({several})").fetchone()[0]
            >= READ_SHARE
        )

    def settings(self):
        """{setting: lines of YAML} of the block `orders:`."""
        settings = {"source": source_lines(self.source, "orders_file")}
        for role, column in self.roles.items():
            own = dict(column.way) if role in NUMBERS else {}
            said = column.remark
            if role == "date":
                own = {"format": column.date_format}
                said = f"Such as {column.texts['lowest_text']}. {said}"
            if role == "amount" and self.stands_once(column):
                own["of"] = "order"
                said = f"{said} It is that of an order, also where that has several lines."
            if role == "status":
                own["counts"] = self.one_of(column, "status: counts")
                own["counts"] = own["counts"] and [own["counts"]]
            if role == "currency":
                own["keep"] = self.one_of(column, "currency: keep")
            settings[role] = [f"    {role}: {flow({'headers': [column.header], **own})}", *comment(said, 6)]
        return settings

    def one_of(self, column, setting):
        """The only value of a column; asks where there are several."""
        values = self.connection.execute(f"""
            select {column.field}, count(*) as n from customers
            where {column.field} is not null group by all order by n desc, 1
        """).fetchall()
        if len(values) == 1:
            return values[0][0]
        shown = listed([f"{value} ({plural(n, 'line')})" for value, n in values])
        self.questions.append(f"{self.place}, {column.header}: which of them count? {shown}. Write it at orders: {setting}.")
        return None

    def summary(self):
        found = [f"{column.header} as {role}" for role, column in self.roles.items()]
        return [f"{self.place} has {plural(self.n_records, 'row')}: {listed(found, 20) or 'nothing was found in it'}."]


def principal_variables(correlations, n):
    """The places of the n variables that together explain most of the variance of all, one after the other (McCabe 1984)."""
    left, chosen = correlations.copy(), []
    for _ in range(n):
        own = left.diagonal()
        explained = (left**2).sum(axis=0) / own.clip(min=1e-9)
        # What the chosen ones explain has no variance left but an error of rounding.
        explained[own < 1e-6] = -1
        best = int(explained.argmax())
        chosen.append(best)
        left = left - left[:, [best]] @ left[[best], :] / left[best, best]
    return chosen
