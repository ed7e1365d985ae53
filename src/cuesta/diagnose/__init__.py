"""Instruments: what happens inside one network while it trains, in numbers and in words."""
