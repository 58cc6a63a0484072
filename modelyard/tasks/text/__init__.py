"""What tasks on one text share: tokens, what a Hugging Face directory says, loading and exporting its model."""
