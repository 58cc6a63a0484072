"""The tables of annotation in the ledger's database. A change here needs a migration of the ledger's."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

# Every content that a guideline had, numbered from 1: labels are kept under its name.
guidelines = Table(
    "annotation_guidelines",
    metadata,
    Column("guideline", String(60), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)

# What is to be labelled, by its row_id, and the batch that it came into; an item never changes its batch.
items = Table(
    "annotation_items",
    metadata,
    Column("guideline", String(60), primary_key=True),
    Column("item", String(48), primary_key=True),
    Column("batch", Integer, nullable=False),
)

# One file of one person. columns: JSON of the names of the inputs in it. version: of the guideline beside it.
works = Table(
    "annotation_works",
    metadata,
    Column("guideline", String(60), primary_key=True),
    Column("work", String(120), primary_key=True),
    Column("batch", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("annotator", String(40), nullable=False),
    Column("role", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("columns", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)

# The rows of a file. shown: digest of what the person sees.
tasks = Table(
    "annotation_tasks",
    metadata,
    Column("guideline", String(60), primary_key=True),
    Column("work", String(120), primary_key=True),
    Column("item", String(48), primary_key=True),
    Column("shown", String(32), nullable=False),
)

# Every answer that was taken, never changed: of several for one task the last one counts.
votes = Table(
    "annotation_votes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guideline", String(60), nullable=False),
    Column("work", String(120), nullable=False),
    Column("item", String(48), nullable=False),
    Column("label", Text, nullable=False),
    Column("comment", Text),
    Column("import_id", Integer, nullable=False),
    Index("annotation_votes_of", "guideline", "work", "item"),
)

# Every file that was read, with how many of its rows were taken and how many were not.
imports = Table(
    "annotation_imports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guideline", String(60), nullable=False),
    Column("file", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("taken", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("imported", DateTime(timezone=True), nullable=False),
)
