"""Networks, their files, and the predictor that loads them."""
