"""The faults that the doctor knows, one function each, a file for each family.

A fault is a function of the evidence and its symptoms that returns a finding, or None.
"""
