"""What a configuration is: box, mixture, particles and the graph of their neighbors."""
