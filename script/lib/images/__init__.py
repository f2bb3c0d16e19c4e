"""Real disk images for the tests, the demonstration and the benchmark, made from distribution packages."""
