/**
 * What a service answers who asks for too much at once: its clients wait and try again. The errors are EMR's and CloudTrail's (common errors of
 * AWS's JSON services), IAM's and STS's, EC2's ("Request throttling") and S3's. Light, for the front door's thread: no schemas.
 */
import { escapeXml } from "./xml.ts";

export interface ThrottledAnswer {
  status: number;
  contentType: string;
  body: string;
}

const error = (code: string, message: string) => `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
const rate = "Rate exceeded";

/** `service` is a signing name; one that Howdah does not have is answered as a JSON service. */
export function throttledAnswer(service: string, requestId: string): ThrottledAnswer {
  switch (service) {
    case "s3": {
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n${error("SlowDown", "Please reduce your request rate.")}<RequestId>${requestId}</RequestId></Error>`;
      return { status: 503, contentType: "application/xml", body };
    }
    case "ec2": {
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors>${error("RequestLimitExceeded", "Request limit exceeded.")}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
      return { status: 503, contentType: "text/xml", body };
    }
    case "iam":
    case "sts": {
      const detail = `<Type>Sender</Type><Code>Throttling</Code><Message>${rate}</Message>`;
      const body = `<ErrorResponse><Error>${detail}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
      return { status: 400, contentType: "text/xml", body };
    }
    default: {
      const body = JSON.stringify({ __type: "ThrottlingException", message: rate });
      return { status: 400, contentType: "application/x-amz-json-1.1", body };
    }
  }
}
