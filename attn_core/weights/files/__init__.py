"""Files of arrays, of several frameworks. Nothing in a file is executed."""
