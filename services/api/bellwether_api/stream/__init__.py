"""Server-sent events: who listens is told of new values and of steps of crises. ADR 10 says why it is built so."""
