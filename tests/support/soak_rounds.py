"""A pytest plugin for `make soak`: how many rounds of its campaign each test has done, into its junit report."""

import pytest

import campaigns

_sizes: list[int] = []
_campaign = campaigns.campaign


def _counted(quick: int, soak: int) -> int:
    _sizes.append(_campaign(quick, soak))
    return _sizes[-1]


campaigns.campaign = _counted  # before any test has imported it


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """One that asks for no size while it runs is a round itself: it is one of many parameters."""
    _sizes.clear()
    yield
    item.user_properties.append(("rounds", max(_sizes, default=1)))
