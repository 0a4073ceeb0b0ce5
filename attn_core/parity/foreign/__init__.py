"""Other people's layers, of any framework, against the definition or each other."""
