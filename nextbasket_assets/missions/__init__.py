"""Missions: why people shop. Baskets as documents in, chosen, named and matched topics out; numpy and tomotopy only."""
