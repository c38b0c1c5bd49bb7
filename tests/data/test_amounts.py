"""Numbers as people write them are read where that is certain, and only there."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.amounts import read_amounts

amounts = st.lists(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), min_size=1, max_size=9)
WRITTEN = {
    "$1,200.50": lambda value: f"${value:,.2f}".replace("$-", "-$"),
    "1.200,50 €": lambda value: f"{value:,.2f} €".translate(str.maketrans(".,", ",.")),
    "EUR 1200.50": lambda value: f"EUR {value:.2f}",
    "1200,50": lambda value: f"{value:.2f}".replace(".", ","),
    "CHF 1'200.50": lambda value: f"CHF {value:,.2f}".replace(",", "'"),
    "1 200,50 zł": lambda value: f"{value:,.2f} zł".replace(",", "\xa0").replace(".", ","),
}


@given(amounts, st.sampled_from(sorted(WRITTEN)))
def test_amounts_come_back_from_every_way_to_write_them(values, way):
    column = pa.chunked_array([[*(WRITTEN[way](value) for value in values), None]])
    numbers = read_amounts(column).numbers
    np.testing.assert_allclose(numbers.to_numpy()[:-1], np.array(values, dtype=float))
    assert numbers.to_pylist()[-1] is None


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        (["€1,200", "€950"], "'€1,200' may be 1200 or 1.2"),
        (["€3.50", "$4.00"], "its amounts are in more than one currency, '$' and '€'"),
        (["3.50", "4.20", "n/a"], "'n/a' is not a number as 2 of its 3 values are, such as '3.50'"),
        (["3.50", "4.20", "5,10"], "'5,10' is not a number as 2 of its 3 values are, such as '3.50'"),
        (["S", "M", "38", "40"], ""),
        (["555 123 456", "444 555 666"], ""),
        (["007", "12", "A1"], ""),
        (["1.2.3", "4.5.6"], ""),
        (["2024-01-31", "10:30"], ""),
    ],
)
def test_what_stays_text(values, doubt):
    found = read_amounts(pa.chunked_array([values]))
    assert (found.numbers, found.doubt) == (None, doubt)
