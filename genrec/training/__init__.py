"""Fine-tuning: configuration, examples, batches, loss, loop, checkpoints."""
