"""Quality of predictions: correlations and levels, their errors and their ceilings."""
