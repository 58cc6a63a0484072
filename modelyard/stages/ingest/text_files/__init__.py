"""Rows of text files: CSV, TSV and JSON Lines in any encoding, read in bounded memory from any place on."""
