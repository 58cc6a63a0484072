"""/metrics: Prometheus text from the counters of the served models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modelyard.serve.repository import Repository

LABELS = ("model", "version")


class _Collector:
    """Read at every scrape."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        models = [((model.name, model.version), model) for model in self._repository.all()]
        requests = CounterMetricFamily(
            "modelyard_requests", "Answered requests.", labels=(*LABELS, "protocol", "status")
        )
        items = CounterMetricFamily("modelyard_items", "Items answered.", labels=LABELS)
        truncated = CounterMetricFamily(
            "modelyard_truncated_items", "Items longer than the model reads, cut off.", labels=LABELS
        )
        in_flight = GaugeMetricFamily("modelyard_requests_in_flight", "Requests being answered.", labels=LABELS)
        queue = GaugeMetricFamily("modelyard_queue_items", "Items that wait for a compute thread.", labels=LABELS)
        batches = HistogramMetricFamily("modelyard_batch_items", "Items a batch.", labels=LABELS)
        served = GaugeMetricFamily("modelyard_model_info", "What is served.", labels=(*LABELS, "variant", "package"))
        streams = GaugeMetricFamily(
            "modelyard_streams_in_flight", "Requests that are being answered piece by piece.", labels=LABELS
        )
        pieces = CounterMetricFamily("modelyard_stream_pieces", "Pieces of whole answers.", labels=LABELS)
        first = HistogramMetricFamily("modelyard_stream_first_piece_seconds", "To the first piece.", labels=LABELS)
        whole = HistogramMetricFamily("modelyard_stream_seconds", "To the end of an answer in pieces.", labels=LABELS)
        ready = GaugeMetricFamily("modelyard_ready", "1 when requests are answered.")
        ready.add_metric((), float(self._repository.ready))
        seconds = {
            part: HistogramMetricFamily(f"modelyard_{part}_seconds", text, labels=LABELS)
            for part, text in (
                ("request", "From the first byte to the answer."),
                ("queue", "Waiting for a compute thread."),
                ("prepare", "Raw input to features."),
                ("compute", "The graph."),
                ("decode", "Raw outputs to public ones."),
            )
        }
        for labels, model in models:
            counted = model.telemetry
            for (protocol, status), count in counted.answered.items():
                requests.add_metric((*labels, protocol, str(status)), count)
            items.add_metric(labels, counted.items)
            truncated.add_metric(labels, counted.truncated)
            in_flight.add_metric(labels, counted.in_flight)
            queue.add_metric(labels, model.batcher.waiting)
            streams.add_metric(labels, counted.streams_in_flight)
            pieces.add_metric(labels, counted.pieces)
            first.add_metric(labels, counted.first_piece.cumulative(), counted.first_piece.total)
            whole.add_metric(labels, counted.stream_seconds.cumulative(), counted.stream_seconds.total)
            batches.add_metric(labels, counted.batches.cumulative(), counted.batches.total)
            served.add_metric((*labels, model.variant, model.digest), 1.0)
            for part, family in seconds.items():
                histogram = counted.seconds[part]
                family.add_metric(labels, histogram.cumulative(), histogram.total)
        streaming = [streams, pieces, first, whole]
        return [ready, served, requests, items, truncated, in_flight, queue, batches, *streaming, *seconds.values()]


class Exposition:
    """Renders the text; the library is loaded after the server is ready, or at the first scrape."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._registry: Any = None

    def open(self) -> None:
        """Load the library and build the registry."""
        from prometheus_client import CollectorRegistry, ProcessCollector

        if self._registry is None:
            registry = CollectorRegistry()
            registry.register(_Collector(self._repository))
            ProcessCollector(registry=registry)
            self._registry = registry

    def render(self) -> bytes:
        from prometheus_client import generate_latest

        self.open()
        text: bytes = generate_latest(self._registry)
        return text
