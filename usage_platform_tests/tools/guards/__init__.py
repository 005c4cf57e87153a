"""Each guard of the product is taken away once, and a test must notice: `make guards`."""
