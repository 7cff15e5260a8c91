"""What every benchmark needs: rounds, figures of a process, a broker, a bad line, a card."""
