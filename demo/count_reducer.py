#!/usr/bin/env python3
"""Hadoop streaming reducer: carrier, month, flights planned, flights flown."""
import sys
from itertools import groupby

pairs = (line.rstrip("\n").split("\t") for line in sys.stdin)
for key, group in groupby(pairs, key=lambda pair: pair[0]):
    flown = [int(value) for _, value in group]
    print(f"{key},{len(flown)},{sum(flown)}")
