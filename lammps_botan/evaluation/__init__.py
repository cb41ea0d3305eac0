"""How well a model predicts: correlations, their errors and their ceilings."""
