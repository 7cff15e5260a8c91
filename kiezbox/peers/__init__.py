"""What one box knows, its neighbours know: over IP, and in a file (docs/peers.md)."""
