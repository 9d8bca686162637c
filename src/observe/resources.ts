/** What a call is about: the resources that LookupEvents finds it by, in the types of CloudTrail and AWS Config. */

export interface ResourceRef {
  type: string;
  name: string;
}

/** By the name of a member, as CloudTrail spells it, of a request or an answer, for each service. */
const typesByMember: Record<string, Record<string, string>> = {
  elasticmapreduce: {
    jobFlowId: "AWS::EMR::Cluster",
    jobFlowIds: "AWS::EMR::Cluster",
    clusterId: "AWS::EMR::Cluster",
    stepId: "AWS::EMR::Step",
    stepIds: "AWS::EMR::Step",
    securityConfiguration: "AWS::EMR::SecurityConfiguration",
  },
  iam: {
    userName: "AWS::IAM::User",
    roleName: "AWS::IAM::Role",
    groupName: "AWS::IAM::Group",
    policyArn: "AWS::IAM::Policy",
    instanceProfileName: "AWS::IAM::InstanceProfile",
    accessKeyId: "AWS::IAM::AccessKey",
  },
  sts: { roleArn: "AWS::IAM::Role", accessKeyId: "AWS::IAM::AccessKey" },
  ec2: {
    instanceId: "AWS::EC2::Instance",
    instanceIds: "AWS::EC2::Instance",
    vpcId: "AWS::EC2::VPC",
    subnetId: "AWS::EC2::Subnet",
    groupId: "AWS::EC2::SecurityGroup",
    groupIds: "AWS::EC2::SecurityGroup",
    volumeId: "AWS::EC2::Volume",
    keyName: "AWS::EC2::KeyPair",
  },
  glue: { databaseName: "AWS::Glue::Database", tableName: "AWS::Glue::Table" },
  cloudtrail: { name: "AWS::CloudTrail::Trail", trailName: "AWS::CloudTrail::Trail", s3BucketName: "AWS::S3::Bucket" },
};

/** EMR's clusters are named by ResourceId where tags are put on them. */
const typesById: [RegExp, string][] = [
  [/^j-[A-Z0-9]+$/, "AWS::EMR::Cluster"],
  [/^i-[0-9a-f]+$/, "AWS::EC2::Instance"],
  [/^vpc-[0-9a-f]+$/, "AWS::EC2::VPC"],
  [/^subnet-[0-9a-f]+$/, "AWS::EC2::Subnet"],
  [/^sg-[0-9a-f]+$/, "AWS::EC2::SecurityGroup"],
  [/^vol-[0-9a-f]+$/, "AWS::EC2::Volume"],
];

const most = 50;

/** At the top of request and answer, and one level below, where answers hold what they made. */
export function resourcesOf(signingName: string, ...shapes: unknown[]): ResourceRef[] {
  const types = typesByMember[signingName] ?? {};
  const found = new Map<string, ResourceRef>();
  const add = (member: string, value: unknown): void => {
    if (typeof value !== "string") return;
    const type = member === "resourceId" || member === "resources" ? typesById.find(([form]) => form.test(value))?.[1] : types[member];
    if (type && value !== "" && found.size < most) found.set(`${type} ${value}`, { type, name: value });
  };
  const look = (shape: unknown, deep: boolean): void => {
    if (typeof shape !== "object" || shape === null || Array.isArray(shape)) return;
    for (const [member, value] of Object.entries(shape)) {
      if (Array.isArray(value)) for (const item of value) add(member, item);
      else if (typeof value === "object" && deep) look(value, false);
      else add(member, value);
    }
  };
  for (const shape of shapes) look(shape, true);
  return [...found.values()];
}
