"""What the lines of an order say together, and which orders count: each case is a small file, and all that becomes of it."""

from datetime import datetime

import pytest
from dbt_common.exceptions import CompilationError
from staging import Staging, texts

COUNTS = {"status": {"headers": ["Financial Status"], "counts": ["paid", "Partially Refunded"]}, "currency": {"keep": "EUR"}}
OF_ORDER = {"amount": {"headers": ["Total"], "of": "order"}}
ANONYMOUS = {"customer": {"anonymous_share": 0.5}}
WITHOUT_AMOUNTS = {"amount": None}


@pytest.fixture
def staged(tmp_path):
    """A function: (lines of files, settings of the block orders) → Staging; each list of lines is a file."""

    def stage(*files, **settings):
        (tmp_path / "build").mkdir()
        (tmp_path / "incoming").mkdir()
        for number, lines in enumerate(files):
            (tmp_path / "incoming" / f"{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Staging(tmp_path / "build", "orders", tmp_path / "incoming" / "*", {"orders": settings})

    return stage


def day(number):
    return datetime(2025, 1, number)


def accepted(staging, *columns):
    """Columns of stg_orders, in the order of the customers and the products."""
    return staging.query(f"select {', '.join(columns)} from stg_orders order by customer_id, product, ordered_at")


def rejected(staging):
    """{number of the line: (reasons, whether it is left out)} of the rejected lines, the second file's counted from 1001 on."""
    query = "select line_number, source_file like '%1.csv', reasons, is_left_out from rejected_orders"
    return {line + 1000 * second: (reasons, left_out) for line, second, reasons, left_out in staging.query(query)}


def test_blanks_are_those_of_the_first_line_of_the_order(staged):
    header = "Invoice,customer_id,date,Financial Status,Currency,amount,product"
    lines = [
        header,
        "A,1,2025-01-01,PAID ,eur,10,a",
        "A,,,,,5,b",
        # A line that does not say all of it by itself may still say some of it.
        "A,,2025-01-03,,EUR,5,c",
        "B,2,2025-01-02,pending,EUR,7,a",
        "B,,,,,8,b",
        "C,3,2025-01-02,partially refunded,USD,7,a",
        "C,,,,,8,b",
    ]
    with staged(lines, **COUNTS) as staging:
        assert accepted(staging, "customer_id", "ordered_at", "amount") == [(1, day(1), 10), (1, day(1), 5), (1, day(3), 5)]
        assert rejected(staging) == {
            5: ("status pending does not count", True),
            6: ("status pending does not count", True),
            7: ("currency USD does not count", True),
            8: ("currency USD does not count", True),
        }
        assert [text for *_, text in staging.rejected] == lines[4:]
        assert staging.not_counted is None


def test_nothing_is_filled_from_afar(staged):
    """Receipts are numbered anew each day: no. 17 of another day is another order, and so is that of another file."""
    lines = [
        "invoice,customer_id,date,amount",
        "17,1,2025-01-01,10",
        "18,2,2025-01-01,10",
        "17,,2025-01-02,10",
        ",3,2025-01-02,10",
        ",,2025-01-02,10",
        "19,4,2025-01-02,10",
    ]
    with staged(lines, ["invoice,customer_id,date,amount", "19,,2025-01-02,10"]) as staging:
        assert [customer for (customer,) in accepted(staging, "customer_id")] == [1, 2, 3, 4]
        missing = ("customer_id is missing", False)
        assert rejected(staging) == {4: missing, 6: missing, 1002: missing}


def test_a_first_line_that_cannot_be_read_fills_nothing(staged):
    lines = [
        "invoice,customer_id,date,amount",
        "A,1.5,2025-01-01,10",
        "A,,,10",
        "B,2,2999-01-01,10",
        "B,,,10",
        "C,3,2025-01-01,10,",
        "C,,2025-01-01,10",
        "D,4,2025-01-01,much",
        "D,,,10",
    ]
    with staged(lines) as staging:
        assert accepted(staging, "customer_id", "ordered_at", "amount") == [(4, day(1), 10)]
        assert {line: reasons for line, (reasons, _) in rejected(staging).items()} == {
            2: "customer_id is not a whole number",
            3: "customer_id is missing",
            4: "ordered_at is in the future",
            5: "ordered_at is missing",
            6: "too many fields",
            7: "customer_id is missing",
            8: "amount is not a number",
        }


def test_what_is_left_out_is_so_whatever_else_is_wrong_with_it(staged):
    lines = [
        "invoice,customer_id,date,Financial Status,Currency,amount",
        "A,1,,failed,EUR,",
        "B,,2025-01-01,paid,JPY,1",
        "C,,2025-01-01,paid,EUR,much",
        "D,one,2025-01-01,paid,EUR,1",
        "E,1,2025-01-01,,EUR,1",
        "F,1,2025-01-01,paid,,1",
        "G,1,2025-01-01,failed,EUR",
        "H,1,2025-01-01,Paid,EUR,1",
    ]
    with staged(lines, **COUNTS, **ANONYMOUS) as staging:
        assert accepted(staging, "order_id") == [("H",)]
        assert rejected(staging) == {
            2: ("status failed does not count", True),
            3: ("currency JPY does not count", True),
            4: ("no customer", True),
            5: ("customer_id is not a whole number", False),
            6: ("order_status is missing", False),
            7: ("currency is missing", False),
            8: ("too few fields", False),
        }
        assert staging.not_counted is None


def test_a_line_that_is_no_json_object_says_nothing_else(staged):
    order = '{"customer_id": 1, "date": "2025-01-01", "status": "paid", "amount": 1'
    lines = [order + "}", order, order + ', "amount": 2}', order.replace("paid", "failed") + "}"]
    with staged(lines, status={"counts": ["paid"]}) as staging:
        assert len(staging.accepted) == 1
        assert rejected(staging) == {
            2: ("the line is not a JSON object", False),
            3: ("a key stands twice in the JSON object", False),
            4: ("status failed does not count", True),
        }


def test_the_amount_of_an_order_counts_once(staged):
    lines = [
        "invoice,customer_id,date,Total,product,cancelled",
        "A,1,2025-01-01,10,a,",
        "A,1,2025-01-01,,b,",
        "B,2,2025-01-01,20,a,",
        "B,2,2025-01-01,20,b,",
        # Not side by side, and of two customers who have the same number.
        "C,3,2025-01-01,30,a,",
        "D,4,2025-01-01,-40,a,",
        "C,3,2025-01-01,30,b,",
        "D,4,2025-01-01,,b,",
        "C,5,2025-01-01,50,a,",
        "E,6,2025-01-01,60,a,yes",
        "E,6,2025-01-01,60,b,",
        ",7,2025-01-01,70,a,",
        ",7,2025-01-01,70,b,",
    ]
    with staged(lines, **OF_ORDER) as staging:
        assert accepted(staging, "customer_id", "product", "amount", "is_return") == [
            (1, "a", 10, False),
            (1, "b", None, False),
            (2, "a", 20, False),
            (2, "b", None, False),
            (3, "a", 30, False),
            (3, "b", None, False),
            (4, "a", -40, True),
            (4, "b", None, True),
            (5, "a", 50, False),
            (6, "a", -60, True),
            (6, "b", None, True),
            (7, "a", 70, False),
            (7, "b", 70, False),
        ]
        assert rejected(staging) == {}


def test_an_order_with_two_amounts_or_none_is_refused_whole(staged):
    lines = [
        "invoice,customer_id,date,quantity,Total",
        "A,1,2025-01-01,1,10",
        "A,1,2025-01-01,1,11",
        "A,1,2025-01-01,1,",
        "B,2,2025-01-01,few,20",
        "B,2,2025-01-01,1,",
        "C,3,2025-01-01,1,",
    ]
    with staged(lines, **OF_ORDER) as staging:
        assert staging.accepted == []
        differs, missing = ("amount differs within the order", False), ("amount is missing", False)
        assert rejected(staging) == {
            2: differs,
            3: differs,
            4: differs,
            5: ("quantity is not a number", False),
            6: missing,
            7: missing,
        }
        assert [text for *_, text in staging.rejected] == lines[1:]


def test_what_was_refunded_counts_once_for_an_order_with_or_without_a_minus(staged):
    lines = [
        "invoice,customer_id,date,amount,product,Refunded Amount",
        "A,1,2025-01-01,10,a,-4",
        "A,1,2025-01-01,20,b,-4",
        "B,2,2025-01-01,10,a,0",
        "B,2,2025-01-01,20,b,5",
        # It comes back as a line of its own, and not once more.
        "C,3,2025-01-01,-10,a,10",
        ",4,2025-01-01,10,a,6",
        ",4,2025-01-01,20,b,6",
        "D,5,2025-01-01,10,a,1",
        "D,5,2025-01-01,20,b,2",
        "D,5,2025-01-01,20,c,",
    ]
    with staged(lines) as staging:
        found = accepted(staging, "customer_id", "product", "amount", "coalesce(refunded_amount, 0)")
        assert found == [
            (1, "a", 10, 4),
            (1, "b", 20, 0),
            (2, "a", 10, 0),
            (2, "b", 20, 5),
            (3, "a", -10, 0),
            (4, "a", 10, 6),
            (4, "b", 20, 6),
            (5, "c", 20, 0),
        ]
        differs = ("refunded_amount differs within the order", False)
        assert rejected(staging) == {9: differs, 10: differs}


def test_refunds_of_lines_add_up(staged):
    lines = ["invoice,customer_id,date,amount,product,Refunded Amount", "A,1,2025-01-01,10,a,4", "A,1,2025-01-01,20,b,-5"]
    with staged(lines, refunded={"of": "line"}) as staging:
        assert accepted(staging, "refunded_amount") == [(4,), (5,)]


def test_refunds_of_an_order_whose_amount_is_that_of_the_order(staged):
    lines = [
        "invoice,customer_id,date,Total,product,Refunded Amount",
        "A,1,2025-01-01,10,a,4",
        "A,1,2025-01-01,10,b,4",
        "B,2,2025-01-01,10,a,",
        "B,2,2025-01-01,,b,3",
    ]
    with staged(lines, **OF_ORDER) as staging:
        found = accepted(staging, "customer_id", "product", "amount", "refunded_amount")
        assert found == [(1, "a", 10, 4), (1, "b", None, None), (2, "a", 10, None), (2, "b", None, 3)]


def test_without_amounts_a_negative_quantity_and_what_is_cancelled_are_returns(staged):
    lines = ["customer_id,date,quantity,cancelled,amount", "1,2025-01-01,1,,9", "2,2025-01-01,-1,,9", "3,2025-01-01,1,yes,x"]
    with staged(lines, **WITHOUT_AMOUNTS) as staging:
        assert accepted(staging, "customer_id", "amount", "is_return") == [(1, None, False), (2, None, True), (3, None, True)]


def orders_of_lines(n, line):
    """A file with n orders of two lines each."""
    header = "invoice,customer_id,date,amount"
    return [header, *(f"{order},{order},2025-01-01,{line(order, place)}" for order in range(n) for place in range(2))]


# What the file leaves open: its lines, what must be said, and the settings that answer.
QUESTIONS = {
    "which statuses count": (
        ["customer_id,date,Order Status,amount", "1,2025-01-01,done,1", "2,2025-01-01,done,1", "3,2025-01-01,failed,1"],
        "says what became of the orders: done (2), failed (1). List the words of those that count, as in status: "
        "{counts: [paid, completed]}, or write status: {counts: all} where every order does.",
        {"status": {"counts": "all"}},
    ),
    "which one, even of one word": (
        ["customer_id,date,Status,amount", "1,2025-01-01,failed,1", "1,2025-01-01,,1"],
        "says what became of the orders: failed (1), none given (1).",
        {"status": {"counts": ["Failed"]}},
    ),
    "which currency counts": (
        ["customer_id,date,currency,amount,invoice", "1,2025-01-01,EUR,1,A", "1,2025-01-01,,1,A", "2,2025-01-01,JPY,1,B"],
        "has orders in several currencies: EUR (1), JPY (1). Their amounts cannot be added up; give the currency that counts, "
        "such as currency: {keep: EUR}.",
        {"currency": {"keep": "JPY"}},
    ),
    "whether blanks are of that currency": (
        ["customer_id,date,currency,amount,invoice", "1,2025-01-01,EUR,1,A", "2,2025-01-01,,1,B"],
        "has orders in several currencies: EUR (1), none given (1).",
        {"currency": {"keep": "EUR"}},
    ),
    "whether an amount on every line is that of the order": (
        orders_of_lines(10, lambda order, place: order),
        "has several lines for an order, but one amount: so it is in 10 of the first 10 such orders. If it is that of the whole "
        "order, set amount: {of: order}; if it is that of each line, amount: {of: line}.",
        {"amount": {"of": "line"}},
    ),
    "whether an amount on the first line is": (
        orders_of_lines(10, lambda order, place: "" if place else order),
        "in 10 of the first 10 such orders.",
        {"amount": {"of": "order"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_a_file_leaves_open_is_asked(staged, question):
    lines, sentence, _ = QUESTIONS[question]
    with pytest.raises(CompilationError) as raised:
        staged(lines)
    assert "dbt_project.yml, vars, orders: " in str(raised.value)
    assert sentence in str(raised.value)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_taken(staged, question):
    lines, _, answer = QUESTIONS[question]
    with staged(lines, **answer) as staging:
        assert staging.accepted


# What needs no question.
CLEAR = {
    "one currency": ["customer_id,date,currency,amount,invoice", "1,2025-01-01,EUR,1,A", "1,2025-01-01,,1,A"],
    "a column for the status without any word": ["customer_id,date,status,amount", "1,2025-01-01,,1"],
    "nine orders with equal lines": orders_of_lines(9, lambda order, place: order),
    "lines that differ": orders_of_lines(20, lambda order, place: order * (1 + place)),
}


@pytest.mark.parametrize("what", CLEAR)
def test_what_is_clear_is_not_asked(staged, what):
    with staged(CLEAR[what]) as staging:
        assert len(staging.accepted) == len(CLEAR[what]) - 1


@pytest.mark.parametrize(
    ("settings", "column"), [(COUNTS, "order_status"), ({"currency": {"keep": "EUR"}}, "currency"), (OF_ORDER, "order_id")]
)
def test_a_column_that_decides_must_be_there(staged, settings, column):
    with pytest.raises(Exception, match=f"has no column for (currency, nor for )?{column}"):
        staged(["customer_id,date,Total", "1,2025-01-01,1"], **settings)


ANONYMOUS_LINES = ["customer_id,date,amount", "1,2025-01-01,1", "1,2025-01-02,much", ",2025-01-03,1", ",2025-01-04,1"]


@pytest.fixture
def said(staged):
    """A function: (lines, which share may be anonymous) → what the data test of refused lines says, and its rows."""

    def ask(lines, share):
        with staged(lines, customer={"anonymous_share": share}, source={"max_rejected_share": 0.5}) as staging:
            sentences = []
            staging.context["log"] = lambda sentence, info: sentences.append(sentence)
            staging.context["exceptions"].warn = sentences.append
            query = staging.rendered(texts()["rejected_orders__few_enough_rows_are_refused"])
            return sentences, staging.query(query)

    return ask


def test_anonymous_lines_are_told_and_do_not_count_as_refused(said):
    """Two of four lines are anonymous, and one of the two others is refused, which is as many as may be."""
    (left_out, refused), rows = said(ANONYMOUS_LINES, 0.5)
    assert left_out.startswith("2 of 4 lines of ")
    assert "are left out: no customer (2); the table " in left_out
    assert refused.startswith("1 of 2 rows of ")
    assert rows == [("amount is not a number",)]


def test_too_many_anonymous_lines_stop_the_build(said):
    with pytest.raises(CompilationError) as raised:
        said(ANONYMOUS_LINES, 0.4)
    assert "2 of 4 lines of " in str(raised.value)
    assert "have no customer, more than the share of 0.4 that is allowed; check the header of the customer, or raise" in str(
        raised.value
    )


def test_anonymous_lines_are_refused_where_nothing_is_said_of_them(staged):
    with staged(ANONYMOUS_LINES) as staging:
        assert rejected(staging)[4] == ("customer_id is missing", False)
