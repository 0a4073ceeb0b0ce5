"""From steps to the lines of functions, and from parts to what is said of their weights."""
