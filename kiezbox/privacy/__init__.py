"""Who may know what a sensor in somebody's flat measures, and where exactly a box stands.

An indoor sensor tells when people sleep, air, cook and are away. So nothing of it leaves the box,
by no publisher and on no public page, without a consent that was recorded (``consent``, ``shown``);
and the place that a box tells others is one of a grid that everybody can recompute (``grid``).
docs/privacy.md says it in plain words.
"""
