"""What comes in and goes out as JSON, one file a subject."""
