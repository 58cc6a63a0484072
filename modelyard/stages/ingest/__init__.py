"""Ingest: any of the usual files of rows into a Dataset, with every bad row set aside and named."""

from modelyard.stages.ingest.config import ColumnNames, IngestConfig
from modelyard.stages.ingest.ingest import ingest
from modelyard.stages.ingest.layout import source_digest

STAGE_VERSION = 1

__all__ = ["STAGE_VERSION", "ColumnNames", "IngestConfig", "ingest", "source_digest"]
