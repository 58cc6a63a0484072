"""What the report says, a language a file; code asks for a key."""
