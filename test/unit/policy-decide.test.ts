import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { contextOf } from "../../src/access/policy/context.ts";
import { type Ask, decide, type Decision, type ResourcePolicy } from "../../src/access/policy/decide.ts";
import type { Grants, Principal } from "../../src/access/principal.ts";

const account = "123456789012";
const ann: Principal = {
  type: "IAMUser",
  arn: `arn:aws:iam::${account}:user/ann`,
  accountId: account,
  id: "AIDAANN",
  userName: "ann",
  tags: {},
  sessionPolicies: [],
  clusterId: null,
};
const session: Principal = {
  type: "AssumedRole",
  arn: `arn:aws:sts::${account}:assumed-role/r/s`,
  accountId: account,
  id: "AROAROLE:s",
  role: { arn: `arn:aws:iam::${account}:role/r`, name: "r", id: "AROAROLE" },
  sessionName: "s",
  tags: {},
  sessionPolicies: [],
  clusterId: null,
};
const root: Principal = { ...ann, type: "Root", arn: `arn:aws:iam::${account}:root`, id: account };

const text = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const named = (...policies: string[]) => policies.map((text, i) => ({ name: `p${i}`, text }));
const grants = (identity: string[], boundary?: string, session: string[] = []): Grants => ({
  identity: named(...identity),
  boundary: boundary === undefined ? undefined : { name: "boundary", text: boundary },
  session,
});
const ask: Ask = { action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: contextOf([["aws:username", "ann"]]) };

const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
const deny = { ...allow, Effect: "Deny" };
const to = (Principal: unknown, statement: object = allow) => ({ ...statement, Principal });
const ofResource = (...statements: object[]): ResourcePolicy => ({ text: text(...statements), accountId: account });

/** In one word. */
function told(decision: Decision): string {
  return decision.allowed ? "allowed" : `${decision.explicit ? "explicit deny" : "no"} ${decision.kind}`;
}

describe("decisions: who allows, who denies", () => {
  const nothing = grants([]);
  const cases: [string, Principal | undefined, Grants, ResourcePolicy | undefined, string][] = [
    ["nothing allows", ann, nothing, undefined, "no identity-based policy"],
    ["an identity policy allows", ann, grants([text(allow)]), undefined, "allowed"],
    ["a deny in another policy wins", ann, grants([text(allow), text(deny)]), undefined, "explicit deny identity-based policy"],
    ["root needs no policy", root, nothing, undefined, "allowed"],
    ["root obeys a deny of the resource", root, nothing, ofResource(to("*", deny)), "explicit deny resource-based policy"],
    ["a boundary alone allows nothing", ann, grants([], text(allow)), undefined, "no identity-based policy"],
    ["a boundary narrows", ann, grants([text(allow)], text()), undefined, "no permissions boundary"],
    ["a boundary denies", ann, grants([text(allow)], text(deny)), undefined, "explicit deny permissions boundary"],
    ["a session policy narrows", session, grants([text(allow)], undefined, [text()]), undefined, "no session policy"],
    ["one of two session policies allows", session, grants([text(allow)], undefined, [text(), text(allow)]), undefined, "allowed"],
    ["a session policy denies", session, grants([text(allow)], undefined, [text(allow, deny)]), undefined, "explicit deny session policy"],
    ["a session policy alone allows nothing", session, grants([], undefined, [text(allow)]), undefined, "no identity-based policy"],
    // Resource-based policies in the same account, by who is named.
    ["the user itself: past the boundary", ann, grants([], text()), ofResource(to({ AWS: ann.arn })), "allowed"],
    [
      "the user's unique id",
      ann,
      nothing,
      ofResource(to({ AWS: ["AIDABOBBOBBOBBOBBOB", ann.id + "A".repeat(14)] })),
      "no identity-based policy",
    ],
    ["everybody", ann, nothing, ofResource(to("*")), "allowed"],
    ["everybody, spelled as AWS", ann, nothing, ofResource(to({ AWS: "*" })), "allowed"],
    ["the account: only with an identity policy", ann, nothing, ofResource(to({ AWS: account })), "no identity-based policy"],
    ["the account, and an identity policy", ann, grants([text(allow)]), ofResource(to({ AWS: account })), "allowed"],
    ["somebody else", ann, nothing, ofResource(to({ AWS: `${ann.arn}a` })), "no identity-based policy"],
    ["the role: allows", session, nothing, ofResource(to({ AWS: session.role!.arn })), "allowed"],
    ["the role: within the boundary", session, grants([], text()), ofResource(to({ AWS: session.role!.arn })), "no permissions boundary"],
    [
      "the role: within the session",
      session,
      grants([], undefined, [text()]),
      ofResource(to({ AWS: session.role!.arn })),
      "no session policy",
    ],
    ["the session itself: past both", session, grants([], text(), [text()]), ofResource(to({ AWS: session.arn })), "allowed"],
    [
      "a deny of the role is one of its sessions",
      session,
      grants([text(allow)]),
      ofResource(to({ AWS: session.role!.arn }, deny)),
      "explicit deny resource-based policy",
    ],
    [
      "a deny beats the allow beside it",
      ann,
      grants([text(allow)]),
      ofResource(to({ AWS: ann.arn }), to("*", deny)),
      "explicit deny resource-based policy",
    ],
    // Nobody.
    ["no signature, no policy", undefined, nothing, { text: undefined, accountId: account }, "no resource-based policy"],
    ["no signature, everybody", undefined, nothing, ofResource(to("*")), "allowed"],
    ["no signature, everybody but", undefined, nothing, ofResource(to("*"), to("*", deny)), "explicit deny resource-based policy"],
    ["no signature, the account", undefined, nothing, ofResource(to({ AWS: account })), "no resource-based policy"],
    // NotPrincipal.
    [
      "not principal: all but ann are denied",
      ann,
      grants([text(allow)]),
      ofResource({ ...deny, NotPrincipal: { AWS: [ann.arn, account] } }),
      "allowed",
    ],
    [
      "not principal: without her account she is denied, too",
      ann,
      grants([text(allow)]),
      ofResource({ ...deny, NotPrincipal: { AWS: ann.arn } }),
      "explicit deny resource-based policy",
    ],
    [
      "not principal: somebody else is left out",
      ann,
      grants([text(allow)]),
      ofResource({ ...deny, NotPrincipal: { AWS: [`${ann.arn}a`, account] } }),
      "explicit deny resource-based policy",
    ],
    [
      "not principal: an allow for all but her",
      ann,
      nothing,
      ofResource({ ...allow, NotPrincipal: { AWS: ann.arn } }),
      "no identity-based policy",
    ],
    [
      "not principal: an allow for all but another",
      ann,
      nothing,
      ofResource({ ...allow, NotPrincipal: { AWS: `${ann.arn}a` } }),
      "allowed",
    ],
    // Across accounts both must allow.
    ["across: the identity alone", ann, grants([text(allow)]), { text: undefined, accountId: "999999999999" }, "no resource-based policy"],
    [
      "across: the resource alone",
      ann,
      nothing,
      { ...ofResource(to({ AWS: ann.arn })), accountId: "999999999999" },
      "no identity-based policy",
    ],
    ["across: both", ann, grants([text(allow)]), { ...ofResource(to({ AWS: account })), accountId: "999999999999" }, "allowed"],
    [
      "across: both, and a boundary",
      ann,
      grants([text(allow)], text()),
      { ...ofResource(to({ AWS: ann.arn })), accountId: "999999999999" },
      "no permissions boundary",
    ],
    ["across: root needs the resource's policy", root, nothing, { text: undefined, accountId: "999999999999" }, "no resource-based policy"],
  ];
  for (const [name, principal, given, resource, expected] of cases)
    test(name, () => assert.equal(told(decide(principal, given, ask, resource)), expected));

  test("trust policies must allow, whatever else does", () => {
    const assume: Ask = { action: "sts:AssumeRole", resource: session.role!.arn, context: contextOf([]) };
    const all = grants([text({ Effect: "Allow", Action: "*", Resource: "*" })]);
    const trust = (Principal: unknown): ResourcePolicy => ({
      text: text({ Effect: "Allow", Principal, Action: "sts:AssumeRole" }),
      accountId: account,
      trust: true,
    });
    const emr: Principal = { ...ann, type: "AWSService", arn: "elasticmapreduce.amazonaws.com", accountId: "" };
    const ofEmr = trust({ Service: "elasticmapreduce.amazonaws.com" });
    assert.equal(told(decide(ann, all, assume, ofEmr)), "no resource-based policy");
    assert.equal(told(decide(root, all, assume, ofEmr)), "no resource-based policy");
    assert.equal(told(decide(emr, nothing, assume, ofEmr)), "allowed");
    assert.equal(told(decide({ ...emr, arn: "ec2.amazonaws.com" }, nothing, assume, ofEmr)), "no resource-based policy");
    assert.equal(told(decide(ann, nothing, assume, trust({ AWS: ann.arn }))), "allowed");
    assert.equal(told(decide(ann, nothing, assume, trust({ AWS: account }))), "no identity-based policy");
    assert.equal(told(decide(ann, all, assume, trust({ AWS: account }))), "allowed");
  });

  test("a policy that cannot be read lets nobody through", () => {
    assert.throws(() => decide(ann, grants([text(allow), "{"]), ask), { name: "PolicyError" });
  });
});

describe("decisions: properties", () => {
  const action = fc.constantFrom("s3:GetObject", "s3:Get*", "s3:PutObject", "*", "iam:PassRole", "s3:*Object");
  const resource = fc.constantFrom("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*", "arn:aws:s3:::b/${aws:username}");
  const condition = fc.option(
    fc.record({
      operator: fc.constantFrom(
        "StringEquals",
        "StringNotEquals",
        "StringLikeIfExists",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotLike",
      ),
      key: fc.constantFrom("aws:username", "aws:TagKeys", "aws:none"),
      values: fc.array(fc.constantFrom("ann", "a*", "team", "x"), { maxLength: 2 }),
    }),
    { nil: undefined },
  );
  const statement = fc
    .record({
      Effect: fc.constantFrom("Allow", "Deny"),
      notAction: fc.boolean(),
      actions: fc.array(action, { minLength: 1, maxLength: 2 }),
      notResource: fc.boolean(),
      resources: fc.array(resource, { minLength: 1, maxLength: 2 }),
      condition,
    })
    .map((made) => ({
      Effect: made.Effect,
      [made.notAction ? "NotAction" : "Action"]: made.actions,
      [made.notResource ? "NotResource" : "Resource"]: made.resources,
      ...(made.condition ? { Condition: { [made.condition.operator]: { [made.condition.key]: made.condition.values } } } : {}),
    }));
  const statements = fc.array(statement, { maxLength: 4 });
  const asked: fc.Arbitrary<Ask> = fc.record({
    action: fc.constantFrom("s3:GetObject", "s3:PutObject", "iam:PassRole", "s3:ListAllMyBuckets"),
    resource: fc.constantFrom("arn:aws:s3:::b/k", "arn:aws:s3:::b/ann", "arn:aws:s3:::c/k", "*"),
    context: fc.constantFrom(
      contextOf([["aws:username", "ann"]]),
      contextOf([["aws:TagKeys", ["team", "x"]]]),
      contextOf([["aws:TagKeys", []]]),
      contextOf([]),
    ),
  });
  const who = fc.constantFrom(ann, session, root);
  const policyOfResource = fc.option(
    fc.record({
      principal: fc.constantFrom("*", { AWS: ann.arn }, { AWS: account }, { AWS: session.role!.arn }, { AWS: session.arn }),
      statements,
      accountId: fc.constantFrom(account, "999999999999"),
    }),
    { nil: undefined },
  );
  const world = fc.record({
    who,
    asked,
    identity: fc.array(statements, { maxLength: 2 }),
    boundary: fc.option(statements, { nil: undefined }),
    session: fc.array(statements, { maxLength: 2 }),
    resource: policyOfResource,
  });
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

  const run = (made: World): Decision =>
    decide(
      made.who,
      grants(
        made.identity.map((all) => text(...all)),
        made.boundary && text(...made.boundary),
        made.session.map((all) => text(...all)),
      ),
      made.asked,
      made.resource && {
        text: text(...made.resource.statements.map((one) => ({ ...one, Principal: made.resource!.principal }))),
        accountId: made.resource.accountId,
      },
    );
  const allows = (made: World) => run(made).allowed;

  test("the order of statements and policies is nothing", () => {
    fc.assert(
      fc.property(world, (made) => {
        const turned = {
          ...made,
          identity: made.identity.map((all) => all.toReversed()).toReversed(),
          session: made.session.toReversed(),
          resource: made.resource && { ...made.resource, statements: made.resource.statements.toReversed() },
        };
        assert.equal(told(run(turned)), told(run(made)));
      }),
      { numRuns: 2000 },
    );
  });

  test("another deny, a boundary or a session policy never allows more; another allow never less", () => {
    fc.assert(
      fc.property(world, statement, (made, more) => {
        const denies = { ...more, Effect: "Deny" as const };
        const before = allows(made);
        if (!before) {
          assert.ok(!allows({ ...made, identity: [...made.identity, [denies]] }));
          if (made.resource)
            assert.ok(!allows({ ...made, resource: { ...made.resource, statements: [...made.resource.statements, denies] } }));
          if (!made.boundary) assert.ok(!allows({ ...made, boundary: [more] }));
          if (made.session.length === 0) assert.ok(!allows({ ...made, session: [[more]] }));
          return;
        }
        const permits = { ...more, Effect: "Allow" as const };
        assert.ok(allows({ ...made, identity: [...made.identity, [permits]] }));
        if (made.boundary) assert.ok(allows({ ...made, boundary: [...made.boundary, permits] }));
        if (made.resource)
          assert.ok(allows({ ...made, resource: { ...made.resource, statements: [...made.resource.statements, permits] } }));
      }),
      { numRuns: 5000 },
    );
  });

  test("a deny of everything leaves nothing", () => {
    fc.assert(
      fc.property(world, (made) => {
        const all = { Effect: "Deny", Action: ["*"], Resource: ["*"] };
        const decision = run({ ...made, identity: [...made.identity, [all as never]] });
        assert.ok(!decision.allowed && decision.explicit);
      }),
    );
  });

  test("who is not root and has no policy may do nothing but what the resource's policy allows", () => {
    fc.assert(
      fc.property(world, (made) => {
        const bare = { ...made, who: made.who === root ? ann : made.who, identity: [], resource: undefined };
        assert.equal(allows(bare), false);
      }),
    );
  });
});
