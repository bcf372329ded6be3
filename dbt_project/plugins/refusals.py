"""How the plugins refuse what cannot be used: with one sentence that says what is wrong, where, and what to do."""

from dbt_common.exceptions import DbtRuntimeError


def refusal(sentence):
    """The error to raise, with what a terminal would obey, as it can stand in a header or in a name, in letters: \\x1b."""
    return DbtRuntimeError("".join(one if one.isprintable() else repr(one)[1:-1] for one in sentence))
