"""Those we measure ourselves against, one file each; ``peers.sh`` installs them into .bench/."""
