import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Filter, Tag } from "@aws-sdk/client-ec2";
import fc from "fast-check";
import { blockText, contains, ipv6Block, overlap, parseBlock, sizeOf } from "../../src/api/ec2/cidr.ts";
import { filtered, matchesPattern } from "../../src/api/ec2/filters.ts";
import { type Listing, select } from "../../src/api/ec2/listing.ts";

/** A pattern as a regular expression: what the matcher must agree with, and must not be, for its time may explode. */
function asRegExp(pattern: string): RegExp {
  let source = "";
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") source += "[^]*";
    else if (character === "?") source += "[^]";
    else {
      const literal = character === "\\" && at + 1 < characters.length ? characters[++at]! : character;
      source += literal.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    }
  }
  return new RegExp(`^${source}$`, "u");
}

const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "\\", "é", "𝒽"), maxLength: 9 });

describe("patterns", () => {
  const table: [string, string, boolean][] = [
    ["", "", true],
    ["*", "", true],
    ["?", "", false],
    ["a*c", "abbbc", true],
    ["a*c", "abbbd", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["A", "a", false],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["a.c", "abc", false],
    ["*b*", "abc", true],
  ];
  for (const [pattern, text, is] of table)
    test(`${JSON.stringify(pattern)} ${is ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
      assert.equal(matchesPattern(pattern, text), is);
    });

  test("are what a regular expression of the same meaning is", () => {
    fc.assert(
      fc.property(letters, letters, (pattern, text) => matchesPattern(pattern, text) === asRegExp(pattern).test(text)),
      { numRuns: 2000 },
    );
  });

  test("take no time that explodes", () => {
    assert.equal(matchesPattern("*a".repeat(2_000), "a".repeat(1_999)), false);
  });
});

interface Item {
  n: number;
  colour: string | undefined;
  many: string[];
  Tags: Tag[];
}
const table = {
  number: ({ n }: Item) => n,
  colour: ({ colour }: Item) => colour,
  many: ({ many }: Item) => many,
};
const tagsOf = ({ Tags }: Item) => Tags;
const word = fc.constantFrom("red", "green", "blue", "re?");
const items = fc.array(
  fc.record({
    n: fc.nat(4),
    colour: fc.option(word, { nil: undefined }),
    many: fc.array(word, { maxLength: 3 }),
    Tags: fc.uniqueArray(fc.record({ Key: fc.constantFrom("a", "b"), Value: word }), { selector: ({ Key }) => Key, maxLength: 2 }),
  }),
);
const filter: fc.Arbitrary<Filter> = fc.record({
  Name: fc.constantFrom("number", "colour", "many", "tag:a", "tag:b", "tag-key", "tag-value"),
  Values: fc.array(fc.oneof(word, fc.constantFrom("a", "b", "*", "1", "2", "r*")), { minLength: 1, maxLength: 3 }),
});

describe("filters", () => {
  test("narrow: all of the filters, any of a filter's values, and what is left keeps its order", () => {
    fc.assert(
      fc.property(items, fc.array(filter, { maxLength: 3 }), (all, filters) => {
        const found = filtered(all, filters, table, tagsOf);
        const each = filters.map((one) => new Set(filtered(all, [one], table, tagsOf)));
        assert.deepEqual(
          found,
          all.filter((item) => each.every((set) => set.has(item))),
        );
        for (const [index, one] of filters.entries()) {
          const union = new Set((one.Values ?? []).flatMap((value) => filtered(all, [{ ...one, Values: [value] }], table, tagsOf)));
          assert.deepEqual(each[index], new Set(all.filter((item) => union.has(item))));
        }
      }),
    );
  });

  const one: Item = { n: 1, colour: undefined, many: ["x", "y"], Tags: [{ Key: "Name", Value: "" }] };
  const matches = (Name: string, ...Values: string[]) => filtered([one], [{ Name, Values }], table, tagsOf).length === 1;
  test("look at what is there", () => {
    assert.ok(matches("many", "y"));
    assert.ok(!matches("colour", "*"), "what is not there matches nothing");
    assert.ok(matches("tag-key", "Name"));
    assert.ok(!matches("tag-key", "name"), "case matters");
    assert.ok(matches("tag:Name", ""), "an empty value is a value");
    assert.ok(matches("tag:Name", "*"));
    assert.ok(!matches("tag:Other", "*"));
    assert.ok(!matches("number"), "no value matches nothing");
  });

  test("that are unknown are refused by name", () => {
    const refused = (Name: string, tags?: typeof tagsOf) => () => filtered([one], [{ Name, Values: ["x"] }], table, tags);
    assert.throws(refused("shade", tagsOf), { code: "InvalidParameterValue", message: "The filter 'shade' is invalid" });
    assert.throws(refused("toString", tagsOf), { code: "InvalidParameterValue" });
    assert.throws(refused("tag:Name"), { code: "InvalidParameterValue" });
    const many = { Name: "number", Values: Array.from({ length: 201 }, String) };
    assert.throws(() => filtered([one], [many], table), { code: "FilterLimitExceeded" });
  });
});

describe("pages", () => {
  const listing: Listing<{ id: string; seq: number }> = {
    thing: "vpc",
    id: ({ id }) => id,
    filters: {},
    position: ({ seq }) => [seq],
  };

  test("hold each item once that is there from the first to the last, whatever comes and goes between them", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(60), { minLength: 1 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.tuple(fc.nat(60), fc.boolean())),
        (seqs, MaxResults, changes) => {
          const there = new Set(seqs);
          const stayed = new Set(seqs);
          const seen: number[] = [];
          let NextToken: string | undefined;
          do {
            const now = [...there].map((seq) => ({ id: `vpc-${seq}`, seq }));
            const page = select(now, { MaxResults, NextToken }, listing);
            seen.push(...page.items.map(({ seq }) => seq));
            NextToken = page.NextToken;
            const [seq, comes] = changes.pop() ?? [0, there.has(0)];
            if (comes) there.add(seq);
            else there.delete(seq);
            if (!there.has(seq)) stayed.delete(seq);
          } while (NextToken !== undefined);
          assert.deepEqual(
            seen,
            seen.toSorted((a, b) => a - b),
          );
          assert.equal(new Set(seen).size, seen.length);
          for (const seq of stayed) assert.ok(seen.includes(seq), String(seq));
        },
      ),
    );
  });

  test("of another's token are refused", () => {
    for (const NextToken of ["", "x", Buffer.from("{}").toString("base64url"), Buffer.from("[null]").toString("base64url")])
      assert.throws(() => select([], { NextToken }, listing), { code: "InvalidNextToken" });
  });
});

describe("blocks of addresses", () => {
  const block = fc.record({ first: fc.nat(0xff_ff_ff_ff), bits: fc.integer({ min: 0, max: 32 }) });

  test("are read as they are written, without the bits behind the prefix", () => {
    assert.equal(blockText(parseBlock("100.68.0.18/18")!), "100.68.0.0/18");
    fc.assert(
      fc.property(block, ({ first, bits }) => {
        const read = parseBlock(blockText({ first, bits }))!;
        assert.equal(read.bits, bits);
        assert.ok(read.first <= first && first < read.first + sizeOf(read));
        assert.deepEqual(parseBlock(blockText(read)), read);
      }),
    );
    for (const text of [
      "",
      "10.0.0.0",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0/8",
      "256.0.0.0/8",
      "10.0.0.0/8/9",
      "10.0.0.0/-1",
      "10.0.0.0/1e1",
      "::/0",
    ])
      assert.equal(parseBlock(text), undefined, text);
    for (const text of ["::/0", "2001:DB8::/32"]) assert.equal(ipv6Block(text), text.toLowerCase());
    for (const text of ["::", "::/129", "10.0.0.0/8", "fe80::1%eth0/64"]) assert.equal(ipv6Block(text), undefined, text);
  });

  test("overlap where they have an address in common", () => {
    const small = fc.record({ first: fc.nat(63), bits: fc.integer({ min: 26, max: 32 }) }).map((raw) => parseBlock(blockText(raw))!);
    const addresses = ({ first, bits }: { first: number; bits: number }) =>
      new Set(Array.from({ length: sizeOf({ bits }) }, (_, i) => first + i));
    fc.assert(
      fc.property(small, small, (a, b) => {
        assert.equal(overlap(a, b), !addresses(a).isDisjointFrom(addresses(b)));
        assert.equal(contains(a, b), addresses(b).isSubsetOf(addresses(a)));
      }),
    );
  });
});
