/** Simulated nodes come without an S3 server: whoever asks one for something is told what to do. */
import { AwsError } from "../aws/errors.ts";

/** 501, which no client tries again. */
export const noServer = new AwsError(
  "NotImplemented",
  'There is no S3 server behind this Howdah, because its nodes are simulated. Lead S3 clients to one of your own by AWS_ENDPOINT_URL_S3; or name it in howdah.json of the data folder, "s3": {"endpoint": …, "accessKeyId": …, "secretAccessKey": …}, and start Howdah again.',
  501,
);
