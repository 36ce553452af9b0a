"""The data path: transition records, the append-only log that is the truth, and the links that carry it."""
