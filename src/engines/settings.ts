/** Reading merged configurations, and writing the files that engines read. */
import type { Configuration } from "./engine.ts";

export type Properties = Record<string, string>;

/** Properties of a classification; empty where it is not given. */
export function propertiesOf(configurations: readonly Configuration[], classification: string): Properties {
  return configurations.find(({ Classification }) => Classification === classification)?.Properties ?? {};
}

/** Variables of a classification's nested `export`. */
export function exportsOf(configurations: readonly Configuration[], classification: string): Properties {
  const found = configurations.find(({ Classification }) => Classification === classification);
  return propertiesOf(found?.Configurations ?? [], "export");
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

const text = (value: string) => value.replace(/[&<>]/g, (character) => escapes[character]!);

/** A Hadoop *-site.xml. */
export function siteXml(properties: Properties): string {
  const lines = Object.entries(properties).map(
    ([name, value]) => `<property><name>${text(name)}</name><value>${text(value)}</value></property>`,
  );
  return `<?xml version="1.0"?>\n<configuration>\n${lines.join("\n")}\n</configuration>\n`;
}

/**
 * Lines that export variables. `$NAME` in a value is the shell's to expand, as in EMR's own *-env.sh. A JAVA_HOME that is not on the node (EMR's
 * JDKs are at paths of their own) leaves the node's as it is.
 */
export function exportLines(variables: Properties): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const quoted = `"${value.replace(/[\\"`]/g, "\\$&")}"`;
      return name === "JAVA_HOME" ? `[ ! -x ${quoted}/bin/java ] || export ${name}=${quoted}\n` : `export ${name}=${quoted}\n`;
    })
    .join("");
}

/** A Java .properties file. */
export function propertiesFile(properties: Properties): string {
  const escaped = (value: string) => value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return Object.entries(properties)
    .map(([name, value]) => `${name.replace(/[ :=]/g, "\\$&")}=${escaped(value)}\n`)
    .join("");
}
