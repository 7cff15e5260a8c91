"""The other boxes of the mesh: who they are, who of them has an uplink, what they lend.

``respondd`` is a small program that stays; it asks and answers on the mesh, and writes what it
hears into a file that ``known`` reads. Nothing here knows the settings or makes a network.
"""
