"""Functions and small layers for what a framework has not; a file has those that it needs."""
