"""How a kept build is described where people choose one to go back to."""


def plural(n, word):
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def described_build(number, row, reason):
    """The line of a list for a kept build: `row` is its newest one in builds, {column: value}; `reason` that of its fit."""
    restored, erased = row.get("restored_build_number"), row.get("n_customers_erased")
    if restored or erased is not None:
        why = f"restores build {restored}" if restored else f"{plural(erased, 'customer')} erased"
    else:
        why = f"a new model: {reason}" if reason else "scored"
    if row["n_accepted"] is None:
        what = f"segments from {plural(row['n_order_lines_accepted'], 'line')} of orders alone"
        what += f" ({why})" if why != "scored" else ""
    else:
        segments = f"{plural(row['n_accepted'], 'customer')} in {plural(row['n_segments'], 'segment')}"
        what = f"{segments}, model {row['model_version']} ({why})"
    failed = [gate for gate in (row["gates"] or "").split(", ") if not gate.endswith(" ok")]
    return f"{number:>6}  {row['built_at']:%Y-%m-%d %H:%M}  {row['source_file']}: {what}, gates: {', '.join(failed) or 'all ok'}"
