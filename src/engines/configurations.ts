/** EMR's Configurations: which classifications there are, how those of a group go over the cluster's, and reading them. */
import type { ClassificationRule, Configuration } from "./engine.ts";
import { engines, enginesFor } from "./index.ts";
import { notYet } from "./not-yet.ts";

/**
 * Checks a list as RunJobFlow and AddInstanceGroups get it. `errors` are in EMR's words; `warnings` name what is accepted but has no
 * effect here. Shapes: "Configure applications" of the EMR release guide.
 */
export function checkConfigurations(
  list: readonly Configuration[],
  applications: readonly string[],
): { errors: string[]; warnings: string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  const rules = new Map(enginesFor(applications).flatMap((engine) => engine.classifications.map((rule) => [rule.name, rule])));
  for (const configuration of list) {
    const name = configuration.Classification;
    const rule = rules.get(name);
    if (!rule) errors.push(unknown(name));
    else checkOne(configuration, rule, errors, warnings);
  }
  return { errors, warnings };
}

function unknown(name: string): string {
  const owner = engines.find((engine) => engine.classifications.some((rule) => rule.name === name));
  if (owner) return `Classification '${name}' needs the application ${owner.name}, which the cluster does not have`;
  const reason = notYet(name);
  if (reason) return `Classification '${name}' is not honoured: ${reason}`;
  return `Unknown classification '${name}'. Known: ${engines.flatMap((engine) => engine.classifications.map((rule) => rule.name)).join(", ")}`;
}

/** Warnings of what cannot work together in configurations as one group's nodes get them: see mergeConfigurations. */
export function checkTogether(configurations: readonly Configuration[], applications: readonly string[]): string[] {
  return enginesFor(applications).flatMap((engine) => engine.warnings?.(configurations) ?? []);
}

function checkOne(configuration: Configuration, rule: ClassificationRule, errors: string[], warnings: string[]): void {
  const { Classification: name } = configuration;
  const own = Object.entries(configuration.Properties ?? {});
  const properties = [...own];
  for (const nested of configuration.Configurations ?? []) {
    if (!rule.nestedExport) errors.push(`Classification '${name}' takes no nested classification; '${nested.Classification}' is in it`);
    else if (nested.Classification !== "export")
      errors.push(`Classification '${name}' takes only 'export' in it, not '${nested.Classification}'`);
    else if ((nested.Configurations ?? []).length > 0) errors.push(`Classification 'export' in '${name}' takes no nested classification`);
    else {
      const names = Object.keys(nested.Properties ?? {}).filter((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
      for (const key of names) errors.push(`'${key}' in '${name}' is not a name that a shell can export`);
      properties.push(...Object.entries(nested.Properties ?? {}));
    }
  }
  if (rule.nestedExport && own.length > 0) errors.push(`Classification '${name}' takes its settings in a nested classification 'export'`);
  for (const [property, value] of properties) {
    const warning = rule.warn?.(property, value);
    if (warning) warnings.push(`${name}: ${warning}`);
  }
}

/** The cluster's configurations with those of a group over them, property by property; a classification that is there twice is one. */
export function mergeConfigurations(cluster: readonly Configuration[], group: readonly Configuration[]): Configuration[] {
  const merged = new Map<string, Configuration>();
  for (const next of [...cluster, ...group]) {
    const before = merged.get(next.Classification);
    merged.set(next.Classification, {
      Classification: next.Classification,
      Properties: { ...before?.Properties, ...next.Properties },
      Configurations: mergeConfigurations(before?.Configurations ?? [], next.Configurations ?? []),
    });
  }
  return [...merged.values()];
}
