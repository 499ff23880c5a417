"""Export: what leaves RankZoo as a file: PyTorch code, the document as JSON, the diagram as SVG, a page about a model as HTML."""
