"""Before anything is trained: splits, leakage, lengths, preflight and memory."""
