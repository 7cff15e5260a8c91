"""The surroundings of a box: points where one finds water, warmth or help, and the streets between.

All of it is pure: a package goes in (``store.places`` reads and writes the file), and what pages
show comes out: points by distance, words for directions, whether something is open now, a drawing.
docs/place.md has the package's format.
"""
