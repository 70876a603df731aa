"""The demo: three invented brands, a seeded stream of their events, and a scorecard in the terminal."""
