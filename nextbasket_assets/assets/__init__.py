"""WHAT is kept: one thin function per asset. The alphabetical order of the files is the order of the flow."""
