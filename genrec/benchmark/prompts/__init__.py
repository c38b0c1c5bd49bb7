"""The prompt suite: requests in plain words with a known intention, and a known user who went on."""
