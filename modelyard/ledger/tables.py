"""The tables. A change here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, MetaData, String, Table, Text

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
    Column("outcome", String(20)),
    Column("source", Text),
)

# One line a stage a run, in order: what `status` shows.
run_stages = Table(
    "run_stages",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("stage", String(40), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("result_key", String(64), nullable=False),
    Column("output", String(64)),
    Column("report", String(64)),
    Column("message", Text),
)

# The cache of pure stages: the same key always stands for the same work.
results = Table(
    "results",
    metadata,
    Column("result_key", String(64), primary_key=True),
    Column("stage", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("output", String(64), nullable=False),
    Column("report", String(64), nullable=False),
    Column("inputs", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("package", String(64), nullable=False),
    Column("report", String(64), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("override", Text),
    Column("created", DateTime(timezone=True), nullable=False),
)

# Read by the server through the DBAPI alone: name and alias to version and package.
aliases = Table(
    "aliases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("alias", String(120), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("package", String(64), nullable=False),
)

# Every move of an alias, so that the last one can be undone. undoes: the id of the move that this one took back.
alias_moves = Table(
    "alias_moves",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(120), nullable=False),
    Column("alias", String(120), nullable=False),
    Column("before", Integer),
    Column("after", Integer),
    Column("moved", DateTime(timezone=True), nullable=False),
    Column("undoes", Integer),
    Column("reason", Text),
)
