import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# The same examples in every run, and no time limit for one: a slow machine fails no test.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny fits spend their time waiting for threads, up to a hundred times their own where the machine is busy."""
    with threadpool_limits(limits=1):
        yield
