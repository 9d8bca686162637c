import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

test("the control plane starts without EC2's module of the SDK, which takes 70 MB", () => {
  const root = pathToFileURL(`${import.meta.dirname}/../../`).href;
  const script = `
    import { registerHooks } from "node:module";
    const asked = [];
    registerHooks({ resolve: (name, context, next) => (asked.push(name), next(name, context)) });
    await import("${root}src/control-plane.ts");
    const before = asked.includes("@aws-sdk/client-ec2");
    const { createServices } = await import("${root}src/api/services.ts");
    await createServices({}).ec2();
    console.log(JSON.stringify([before, asked.includes("@aws-sdk/client-ec2")]));`;
  const out = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(out), [false, true]);
});
