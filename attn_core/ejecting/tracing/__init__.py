"""A definition run on symbols: its steps, the names that it has for them, the functions that it calls."""
