"""The nouns that flow between rooms: immutable values, one small module each; every room may import them."""
