"""The commands of the command line, one file per group. A file imports its libraries inside its functions."""
