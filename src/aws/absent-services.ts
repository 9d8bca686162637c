/** Services of AWS that the tools of EMR's users come to call, and Howdah does not have. */

/** By signing name: what people call it, and the suffix of the SDKs' variable AWS_ENDPOINT_URL_… (the service's id in AWS's models). */
const absent: Record<string, [name: string, variable: string]> = {
  "application-autoscaling": ["Application Auto Scaling", "APPLICATION_AUTO_SCALING"],
  athena: ["Amazon Athena", "ATHENA"],
  autoscaling: ["Amazon EC2 Auto Scaling", "AUTO_SCALING"],
  cloudformation: ["AWS CloudFormation", "CLOUDFORMATION"],
  dynamodb: ["Amazon DynamoDB", "DYNAMODB"],
  "emr-containers": ["Amazon EMR on EKS", "EMR_CONTAINERS"],
  "emr-serverless": ["Amazon EMR Serverless", "EMR_SERVERLESS"],
  events: ["Amazon EventBridge", "EVENTBRIDGE"],
  kinesis: ["Amazon Kinesis", "KINESIS"],
  kms: ["AWS KMS", "KMS"],
  lakeformation: ["AWS Lake Formation", "LAKEFORMATION"],
  lambda: ["AWS Lambda", "LAMBDA"],
  logs: ["Amazon CloudWatch Logs", "CLOUDWATCH_LOGS"],
  monitoring: ["Amazon CloudWatch", "CLOUDWATCH"],
  rds: ["Amazon RDS", "RDS"],
  redshift: ["Amazon Redshift", "REDSHIFT"],
  sagemaker: ["Amazon SageMaker", "SAGEMAKER"],
  secretsmanager: ["AWS Secrets Manager", "SECRETS_MANAGER"],
  servicequotas: ["Service Quotas", "SERVICE_QUOTAS"],
  sns: ["Amazon SNS", "SNS"],
  sqs: ["Amazon SQS", "SQS"],
  ssm: ["AWS Systems Manager", "SSM"],
  states: ["AWS Step Functions", "SFN"],
  tagging: ["AWS Resource Groups Tagging", "RESOURCE_GROUPS_TAGGING_API"],
};

/** What a client is told that signs for such a service, or for one that is not even known: what it is, that it is not here, and what to do. */
export function notServed(signingName: string, served: readonly string[]): string {
  const [name, variable] = (Object.hasOwn(absent, signingName) ? absent[signingName] : undefined) ?? [];
  const what = name === undefined ? `the service '${signingName}'` : `${name} (${signingName})`;
  const elsewhere = `Clients of it find it elsewhere by AWS_ENDPOINT_URL_${variable ?? "SERVICE"}, with credentials that are good there.`;
  return `Howdah does not have ${what}: it serves ${served.join(", ")}. ${elsewhere}`;
}
