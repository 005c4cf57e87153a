"""Text in CSV files that people open in a spreadsheet.

Belongs here: which text a spreadsheet would run as a formula. Not here: which rows are written.
"""

import re

import pandas as pd

# As OWASP lists them under "CSV Injection"; the last four are the full-width forms.
_FORMULA = re.compile("^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def without_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose text is no formula: an apostrophe goes before text that would begin one.

    Args:
        rows: Any frame; numbers, times and other values stay as they are.

    Returns:
        A new frame with the same columns; names of columns are guarded as well.
    """
    safe = {
        _guarded(name): pd.Series([_guarded(value) for value in column], rows.index, dtype=object)
        if pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)
        else column
        for name, column in rows.items()
    }
    return pd.DataFrame(safe, rows.index)


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
