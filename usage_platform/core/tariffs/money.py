"""Exact amounts, and where they are rounded.

Belongs here: units and rounding. Not here: what is charged (`bill`).

Powers are whole milliwatts and times whole minutes, so an energy is an integer. Prices are the
decimals of the file. Their products are fractions, which no order of adding changes. Only a line of
a bill is rounded.
"""

from decimal import Decimal
from fractions import Fraction

MILLIWATTS_A_KW = 1_000_000
ENERGY_UNITS_A_KWH = 60 * MILLIWATTS_A_KW
"""The unit of energy here is the milliwatt-minute."""

PRICE_DECIMALS = 8
"""Most decimals of a price in the file, and of a price that is shown."""


def kwh_of(energy: int) -> Fraction:
    """Milliwatt-minutes as kWh."""
    return Fraction(int(energy), ENERGY_UNITS_A_KWH)


def rounded(amount: Fraction, decimals: int) -> Decimal:
    """An amount with so many decimals; halves are rounded away from zero, as on invoices."""
    whole, rest = divmod(abs(amount) * 10**decimals, 1)
    whole += rest >= Fraction(1, 2)
    return Decimal(int(whole) * (-1 if amount < 0 else 1)).scaleb(-decimals)
