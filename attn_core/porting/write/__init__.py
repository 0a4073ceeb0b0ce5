"""Writing a network's steps as the source of a framework."""
