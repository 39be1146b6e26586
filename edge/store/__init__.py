"""What the edge keeps on disk: machines, journal, answers, notices, documents, and its own residents."""
