"""Bills reckoned by hand, to the cent, and what a bill says of what is missing."""

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest

from usage_platform.core.tariffs.bill import bill_of_month
from usage_platform_tests.core.tariffs.made_bills import FILES, made_bill


def test_there_are_at_least_twelve_bills():
    assert len(FILES) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bill_is_the_one_reckoned_by_hand(path):
    made = made_bill(path)
    end = made.month.bounds(made.meter)[1]
    bill = bill_of_month(made.tariff, made.meter, made.month, made.series, end)
    lines = [
        (line.kind, line.name, line.quantity, line.price, str(line.amount)) for line in bill.lines
    ]
    expected = [
        (kind, name, Fraction(quantity), Decimal(price), amount)
        for kind, name, quantity, price, amount in made.expected
    ]
    assert lines == expected
    assert str(bill.total) == made.total
    assert bill.is_over
    assert (bill.coverage.missing_hours, bill.coverage.gaps, bill.notes) == (0, (), ())
    demand = {line.name: line for line in bill.lines if line.set_by is not None}
    for name, at in made.set_at.items():
        found = demand[name].set_at
        assert found == (None if at == "null" else pd.Timestamp(at))
    assert {name: demand[name].set_by for name in made.set_by} == made.set_by
