"""Blocks inserted into networks of any origin: the places, the start, the report. Each framework does the inserting."""
