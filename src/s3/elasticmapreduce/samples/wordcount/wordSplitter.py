#!/usr/bin/env python3
"""Mapper of the word count sample: one line "LongValueSum:WORD<tab>1" for each word, for the reducer `aggregate`."""
import re
import sys

WORD = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")

for line in sys.stdin:
    for word in WORD.findall(line):
        print(f"LongValueSum:{word.lower()}\t1")
