"""Pictures as arrays and what lies on them: Pillow and NumPy only, shared by fields, training and serving."""
