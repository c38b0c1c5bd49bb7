"""``python -m genrec`` is ``genrec``."""

from genrec.cli.main import main

if __name__ == "__main__":
    main()
