"""Started as a script: ties a process to its parent's life, then becomes that process.

``python -I -S leash.py PARENT PROGRAM ARGUMENT...``: when the parent dies, even by kill -9, the
kernel kills what stands here (PR_SET_PDEATHSIG, prctl(2); kept across exec). A script of its
own, because between fork and exec a process with threads must not run Python.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("leash: the kernel knows no PR_SET_PDEATHSIG")
    # The parent may have died before the line above: then nobody will ever send that signal.
    if os.getppid() != parent:
        sys.exit("leash: the parent is gone")
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
