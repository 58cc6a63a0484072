"""Measuring as a user would: servers started as processes, load over the wire, intervals around every comparison."""
