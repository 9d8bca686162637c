"""Numbers for the shuffle job, the same ones each time: generate.py FOLDER ROWS"""
import sys

from pyspark.sql import SparkSession

folder, rows = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.appName("generate").getOrCreate()
# Hashes: no compression makes them small, and their sum is a whole number that any order of adding gives.
spark.range(0, rows, 1, 8).selectExpr(f"pmod(hash(id), {rows // 6}) AS key", "hash(id + 1) AS value").write.mode("overwrite").parquet(folder)
spark.stop()
