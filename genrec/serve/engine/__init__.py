"""What answers requests behind a server: batches, deadlines, a fallback, and models that are replaced while it runs."""

from genrec.serve.engine.served import Served, ServiceCounts
from genrec.serve.engine.service import Service

__all__ = ["Served", "Service", "ServiceCounts"]
