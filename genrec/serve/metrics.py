"""What Prometheus reads at ``/metrics``: nothing about a user, an item or a key's secret is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.metrics_core import Metric

    from genrec.serve.engine import ServiceCounts

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})


class Metrics:
    """The counters of one server.

    Parameters
    ----------
    counts
        What the service has done so far. Default: there is no service.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.done("POST", "/v1/recommend", 200, 0.01)
    >>> 'genrec_requests_total{method="POST",route="/v1/recommend",status="200"} 1.0' in metrics.text().decode()
    True
    """

    def __init__(self, counts: Callable[[], ServiceCounts] | None = None) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        if counts is not None:
            registry.register(_ServiceCollector(counts))
        self._requests = Counter(
            "genrec_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "genrec_request_seconds", "From the head of a request to the end of its answer.", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.in_flight = Gauge("genrec_requests_in_flight", "Requests under way.", registry=registry)
        self.answers = Counter("genrec_answers", "Answers, by what made them.", ["source"], registry=registry)
        self.queue_seconds = Histogram(
            "genrec_queue_seconds", "Time that requests waited to be decoded.", buckets=_SECONDS, registry=registry
        )
        self.decode_seconds = Histogram(
            "genrec_decode_seconds", "Time that decoding took.", buckets=_SECONDS, registry=registry
        )
        self.batch = Histogram(
            "genrec_batch_size", "Requests that were decoded together.", buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )  # fmt: skip
        self.events = Counter("genrec_events", "Events taken.", ["result"], registry=registry)
        self.ready = Gauge("genrec_ready", "1 when recommendations are made.", registry=registry)
        self.model = Gauge("genrec_model_info", "1 for the model that answers.", ["version"], registry=registry)

    def done(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; a route is a template such as ``/v1/users/{user_id}``, never a path."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)


class _ServiceCollector(Collector):
    """What the service counts by itself, read when it is asked for."""

    def __init__(self, counts: Callable[[], ServiceCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """The service's counts as metrics."""
        counts = self._counts()
        yield GaugeMetricFamily("genrec_waiting", "Requests that wait to be decoded.", value=counts.waiting)
        for name, about, value in (
            ("genrec_refused", "Requests refused because as many waited as may.", counts.refused),
            ("genrec_late", "Requests that had no answer of the generator in time.", counts.late),
            ("genrec_failed", "Requests that ended with another error.", counts.failed),
        ):
            yield CounterMetricFamily(name, about, value=value)
        if counts.prompts is not None:
            kept = counts.prompts
            yield GaugeMetricFamily("genrec_prompt_cache_bytes", "What remembered prompts take.", value=kept.nbytes)
            yield CounterMetricFamily("genrec_prompt_cache_hits", "Prompts whose beginning was known.", value=kept.hits)
            yield CounterMetricFamily("genrec_prompt_cache_misses", "Prompts that were read whole.", value=kept.misses)
