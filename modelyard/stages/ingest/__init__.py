"""Ingest: any of the usual files of rows into a Dataset, with every bad row set aside and named."""

from modelyard.stages.ingest.config import ColumnNames, IngestConfig
from modelyard.stages.ingest.extent import Earlier, has_grown
from modelyard.stages.ingest.ingest import ingest
from modelyard.stages.ingest.layout import source_digest
from modelyard.stages.ingest.opening import task_of_source
from modelyard.stages.ingest.peek import Peek, peek

STAGE_VERSION = 3

__all__ = [
    "STAGE_VERSION",
    "ColumnNames",
    "Earlier",
    "IngestConfig",
    "Peek",
    "has_grown",
    "ingest",
    "peek",
    "source_digest",
    "task_of_source",
]
