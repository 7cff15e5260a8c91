"""A whole Kiez on one computer: a bench of simulated chips, a broker, a page, and per box a real
node and a real portal process that reach the bench by address only."""
