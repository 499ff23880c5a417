"""PyTorch: how a model becomes one file of code: components' own sources, rewritten for what their settings decide."""
