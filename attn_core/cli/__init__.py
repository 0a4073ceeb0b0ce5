"""The command `attn`: `main` has its parts, a file for each."""
