"""Writes what a block needs besides its mathematics: its native classes, its lines in lists, a file for its cases."""
