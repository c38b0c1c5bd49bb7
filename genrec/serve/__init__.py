"""The HTTP server: ``genrec serve M``. It needs the extra ``serve``."""
