"""Labels between Modelyard and the people and tools that make them."""
