"""PySpark: mean departure delay by carrier and month, from S3, beside the counts that the streaming step left in HDFS."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

flights_uri, counts_uri, result_uri = sys.argv[1:]
spark = SparkSession.builder.appName("mean delay by carrier and month").getOrCreate()

flights = spark.read.csv(flights_uri, header=True, nullValue="NA")
counts = spark.read.csv(counts_uri, schema="carrier string, month int, planned long, flown long")
delays = (
    flights.withColumn("month", f.col("month").cast("int"))
    .groupBy("carrier", "month")
    .agg(f.avg(f.col("dep_delay").cast("double")).alias("mean_delay"))
    .join(counts, ["carrier", "month"])
    .orderBy("carrier", "month")
    .cache()
)
delays.write.mode("overwrite").parquet(f"{result_uri}/parquet")
delays.coalesce(1).write.mode("overwrite").csv(f"{result_uri}/csv", header=True)
print(f"rows written: {delays.count()}")
spark.stop()
