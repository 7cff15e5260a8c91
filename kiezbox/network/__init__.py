"""The emergency WLAN, the mesh, the way to the world: data first, then carried out by systemd.

``plan(posture, settings, machine)`` is pure and says everything that a posture needs. ``prepare``
writes that to ``network.run_dir`` while there is time; when the grid is lost, systemd starts
``kiezbox-POSTURE.target`` from what lies there, and nothing of ours stands in the way.
"""

from kiezbox.network.machine import Interface, Machine, Radio
from kiezbox.network.plan import Plan, plan

__all__ = ["Interface", "Machine", "Plan", "Radio", "plan"]
