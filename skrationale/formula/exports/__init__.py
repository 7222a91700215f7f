"""A formula as text in other languages, one small file a language."""
