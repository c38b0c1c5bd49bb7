"""Templates, histories and requests to token ids, and what requests say."""
