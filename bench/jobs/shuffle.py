"""A group-by whose keys nearly fill the shuffle: shuffle.py FOLDER prints what the groups come to."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.appName("shuffle").getOrCreate()
groups = spark.read.parquet(sys.argv[1]).groupBy("key").agg(F.sum("value").alias("value"), F.count("*").alias("rows"))
total = groups.agg(F.count("*"), F.sum("rows"), F.sum(F.abs("value"))).first()
print(*total)
spark.stop()
