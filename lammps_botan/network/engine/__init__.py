"""BOTAN on the CPU in compiled code: scoring, and the steps of training."""
