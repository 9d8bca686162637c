import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Context, contextOf } from "../../src/access/policy/context.ts";
import { isLike, parsePattern, resolve } from "../../src/access/policy/pattern.ts";

const nothing: Context = new Map();
const both = { wildcards: true, variables: true };

function like(pattern: string, text: string, context = nothing): boolean {
  const glob = resolve(parsePattern(pattern, both), context);
  return glob !== undefined && isLike(glob, text);
}

/** The definition, as it would be said: slow, and easy to see right. */
function naive(pattern: string, text: string): boolean {
  const reach = (p: number, t: number): boolean => {
    if (p === pattern.length) return t === text.length;
    if (pattern[p] === "*") return reach(p + 1, t) || (t < text.length && reach(p, t + 1));
    return t < text.length && (pattern[p] === "?" || pattern[p] === text[t]) && reach(p + 1, t + 1);
  };
  return reach(0, 0);
}

const letters = (characters: string, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { maxLength }).map((found) => found.join(""));

describe("patterns", () => {
  test("wildcards are what their definition says", () => {
    fc.assert(
      fc.property(letters("ab*?", 9), letters("ab", 9), (pattern, text) => {
        assert.equal(like(pattern, text), naive(pattern, text));
      }),
      { numRuns: 20_000 },
    );
  });

  test("a text is like itself, and like what a part of it is replaced with", () => {
    const text = fc.string({ maxLength: 30 }).filter((made) => !/[*?$]/.test(made));
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        assert.ok(like(a + b + c, a + b + c));
        assert.ok(like(`${a}*${c}`, a + b + c));
        assert.ok(like(a + "?".repeat(b.length) + c, a + b + c));
      }),
    );
  });

  test("hostile patterns end: nothing is tried twice", () => {
    const long = "a".repeat(4000);
    assert.equal(like("*".repeat(50_000), long), true);
    assert.equal(like(`${"*a".repeat(10_000)}b`, long), false);
    assert.equal(like(`${"*?".repeat(10_000)}b`, long), false);
    assert.equal(like(`*${"?a".repeat(1000)}b*`, long), false);
    assert.equal(like("${".repeat(50_000), long), false);
  });

  test("variables have the request's values, which stand for themselves", () => {
    const context = contextOf([
      ["aws:username", "ann"],
      ["aws:PrincipalTag/team", "a*?"],
      ["aws:TagKeys", ["x"]],
    ]);
    assert.ok(like("home/${aws:username}/*", "home/ann/file", context));
    assert.ok(like("home/${AWS:UserName}/*", "home/ann/file", context));
    assert.ok(!like("home/${aws:username}/*", "home/annabel/file", context));
    assert.ok(like("${aws:PrincipalTag/team}", "a*?", context));
    assert.ok(!like("${aws:PrincipalTag/team}", "abc", context));
    // Without a value, and with many, there is none.
    for (const key of ["aws:PrincipalTag/none", "aws:TagKeys"]) assert.ok(!like(`\${${key}}*`, "x", context), key);
    assert.ok(like("${aws:PrincipalTag/none, 'company-wide'}/*", "company-wide/x", context));
    assert.ok(like("${aws:PrincipalTag/team, 'company-wide'}", "a*?", context));
    assert.ok(like("a${*}b${?}c${$}", "a*b?c$", context));
    assert.ok(!like("a${*}b", "axb", context));
    const old = parsePattern("${aws:username}", { wildcards: true, variables: false });
    assert.ok(isLike(resolve(old, context)!, "${aws:username}"));
  });
});
