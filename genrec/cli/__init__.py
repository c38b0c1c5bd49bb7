"""The ``genrec`` command: one file a subcommand."""
