"""Files of other people's making, read row by row: values as they stand, and the rows that cannot be read."""
