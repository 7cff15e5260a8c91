"""The residents' pages, a file each: ``show(ask)`` and ``send(ask)`` (see ``portal.asking``).

``portal.answers.ROOMS`` says under which name; a page is loaded when somebody asks for it first.
"""
