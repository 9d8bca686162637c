-- Requests by operating system, from access logs in CloudFront's format.
-- INPUT is the folder above cloudfront/data, OUTPUT the folder for results.

CREATE EXTERNAL TABLE IF NOT EXISTS cloudfront_logs (
  dateobject DATE,
  `time` STRING,
  location STRING,
  bytes INT,
  requestip STRING,
  method STRING,
  host STRING,
  uri STRING,
  status INT,
  referrer STRING,
  os STRING,
  browser STRING,
  browserversion STRING
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES (
  "input.regex" = "^(?!#)(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+(\\S+)\\s+[^(]+\\(([^\;]+)\;.*%20([^/]+)/(.*)$"
)
LOCATION '${INPUT}/cloudfront/data';

INSERT OVERWRITE DIRECTORY '${OUTPUT}/os_requests/'
SELECT os, COUNT(*) AS count
FROM cloudfront_logs
WHERE dateobject BETWEEN '2014-07-05' AND '2014-08-05'
GROUP BY os;
