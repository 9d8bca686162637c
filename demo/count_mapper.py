#!/usr/bin/env python3
"""Hadoop streaming mapper over flights.csv: carrier-month, and whether the flight took off."""
import csv
import sys

COLUMNS = ["year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "carrier"]

for row in csv.reader(sys.stdin):
    if row[0] == "year":
        continue
    flight = dict(zip(COLUMNS, row))
    print(f"{flight['carrier']},{int(flight['month']):02d}\t{0 if flight['dep_time'] in ('', 'NA') else 1}")
