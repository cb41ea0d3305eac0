"""What predicts: networks, their files, and the predictor that loads them."""
