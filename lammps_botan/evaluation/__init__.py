"""How well a model predicts: correlations and levels, their errors and their ceilings."""
