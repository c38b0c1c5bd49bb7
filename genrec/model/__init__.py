"""Models: a causal-LM backbone from scratch, a wheel, the hub or a folder, with a code head beside it."""
