import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import { protocols } from "../../src/aws/protocols.ts";
import { ec2Service as service } from "../../src/aws/services/ec2.ts";

const { ec2Query } = protocols;
const call = (text: string) => ({
  method: "POST",
  contentType: "",
  target: undefined,
  form: true,
  parameters: new URLSearchParams(text),
  body: Buffer.from(text),
});

function parse(action: string, text: string): unknown {
  const request = call(`Action=${action}&Version=2016-11-15&${text}`);
  return ec2Query.parse(service, ec2Query.operation(service, request), request).input;
}

describe("EC2's query protocol", () => {
  test("reads flat lists, and names as EC2 has them", () => {
    assert.deepEqual(
      parse(
        "DescribeInstances",
        "InstanceId.1=i-1&InstanceId.2=i-2&Filter.1.Name=tag%3Aa&Filter.1.Value.1=x&Filter.1.Value.2=y&MaxResults=7&DryRun=false",
      ),
      { InstanceIds: ["i-1", "i-2"], Filters: [{ Name: "tag:a", Values: ["x", "y"] }], MaxResults: 7, DryRun: false },
    );
    // IpPermissions.1.Groups: its ec2QueryName differs from its xmlName.
    assert.deepEqual(
      parse(
        "AuthorizeSecurityGroupIngress",
        "GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.Groups.1.GroupId=sg-2&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8",
      ),
      {
        GroupId: "sg-1",
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, UserIdGroupPairs: [{ GroupId: "sg-2" }], IpRanges: [{ CidrIp: "10.0.0.0/8" }] }],
      },
    );
    // Twelve entries: by number, not by text.
    const many = Array.from({ length: 12 }, (_, i) => `VpcId.${i + 1}=vpc-${i + 1}`).toReversed();
    assert.equal((parse("DescribeVpcs", many.join("&")) as { VpcIds: string[] }).VpcIds.at(-1), "vpc-12");
  });

  const refused = (action: string, text: string) => {
    try {
      parse(action, text);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof AwsError, String(error));
      return [error.code, error.message];
    }
  };

  test("says in EC2's words what is wrong", () => {
    assert.deepEqual(refused("CreateVpc", "Colour=red"), ["UnknownParameter", "The parameter Colour is not recognized"]);
    assert.deepEqual(refused("DescribeVpcs", "VpcIds.1=vpc-1"), ["UnknownParameter", "The parameter VpcIds is not recognized"]);
    assert.deepEqual(refused("DescribeVpcs", "VpcId=vpc-1"), ["UnknownParameter", "The parameter VpcId is not recognized"]);
    assert.deepEqual(refused("DescribeVpcs", "Filter.1.Shade=x"), ["UnknownParameter", "The parameter Filter.1.Shade is not recognized"]);
    assert.deepEqual(refused("DescribeVpcAttribute", "Attribute=enableDnsSupport"), [
      "MissingParameter",
      "The request must contain the parameter VpcId",
    ]);
    assert.deepEqual(refused("DescribeVpcs", "MaxResults=many"), [
      "InvalidParameterValue",
      "Value (many) for parameter MaxResults is invalid: it must be a number.",
    ]);
    assert.deepEqual(refused("DescribeVpcs", "DryRun=perhaps"), [
      "InvalidParameterValue",
      "Value (perhaps) for parameter DryRun is invalid: it must be a boolean.",
    ]);
    assert.deepEqual(refused("DescribeVpcs", "MaxResults=4"), [
      "InvalidParameterValue",
      "Value (4) for parameter MaxResults is invalid. Member must have value greater than or equal to 5",
    ]);
    assert.deepEqual(refused("DescribeNothing", ""), ["InvalidAction", "The action DescribeNothing is not valid for this web service."]);
    assert.throws(() => ec2Query.operation(service, call("Action=DescribeVpcs&Version=2006-06-26")), { code: "NoSuchVersion" });
    assert.throws(() => ec2Query.operation(service, call("Version=2016-11-15")), { code: "MissingAction" });
  });

  const answer = (name: string, output: unknown) => ec2Query.answer(service, service.operations.get(name)!, output, "r-1").body;
  const within = (name: string, xml: string) =>
    `<${name} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>${xml}</${name}>`;

  test("answers as EC2 does", () => {
    assert.equal(
      answer("DescribeVpcs", { Vpcs: [{ VpcId: "vpc-1", IsDefault: true, Tags: [{ Key: "<a>", Value: "" }] }] }),
      within(
        "DescribeVpcsResponse",
        "<vpcSet><item><isDefault>true</isDefault><tagSet><item><key>&lt;a&gt;</key><value></value></item></tagSet><vpcId>vpc-1</vpcId></item></vpcSet>",
      ),
    );
    assert.equal(answer("DescribeVpcs", { Vpcs: [] }), within("DescribeVpcsResponse", "<vpcSet/>"));
    assert.equal(answer("DescribeVpcs", {}), within("DescribeVpcsResponse", ""));
    assert.equal(answer("DeleteVpc", undefined), within("DeleteVpcResponse", "<return>true</return>"));
    assert.equal(
      ec2Query.error(service, new AwsError("InvalidVpcID.NotFound", "The vpc ID 'vpc-<1>' does not exist"), "r-1").body,
      "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID &apos;vpc-&lt;1&gt;&apos; does not exist</Message></Error></Errors><RequestID>r-1</RequestID></Response>",
    );
  });
});
