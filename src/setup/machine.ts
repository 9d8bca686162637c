/** What set-up takes from the machine: a JDK 17 and a Python that PySpark runs on. */
import { accessSync, constants, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.ts";

const javaMajor = 17;
const oldestPython = 8;
const newestPython = 12;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const pathFolders = () => (process.env.PATH ?? "").split(":").filter((folder) => folder !== "");

/** The major version that a JDK's own `release` file states; no JVM is started. */
function majorVersion(home: string): number | undefined {
  try {
    const release = readFileSync(join(home, "release"), "utf8");
    return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1]);
  } catch {
    return undefined;
  }
}

/** Home of a JDK 17: JAVA_HOME, then the `java` of PATH, then /usr/lib/jvm. Throws where there is none. */
export function findJava(): string {
  const candidates: string[] = [];
  if (process.env.JAVA_HOME) candidates.push(process.env.JAVA_HOME);
  for (const folder of pathFolders()) {
    if (isExecutable(join(folder, "java"))) candidates.push(dirname(dirname(realpathSync(join(folder, "java")))));
  }
  try {
    candidates.push(
      ...readdirSync("/usr/lib/jvm")
        .toSorted()
        .map((name) => join("/usr/lib/jvm", name)),
    );
  } catch {
    // No such folder on this distribution.
  }
  // A JDK, not only a runtime: `javac` and `jar` make s3-dist-cp and pack Hadoop's web pages.
  const home = candidates.find(
    (home) => majorVersion(home) === javaMajor && ["jar", "javac"].every((name) => isExecutable(join(home, "bin", name))),
  );
  if (home) return realpathSync(home);
  throw new Error(
    `No JDK ${javaMajor} was found in JAVA_HOME, on PATH or in /usr/lib/jvm. Install one (Debian and Ubuntu: apt install openjdk-17-jdk-headless).`,
  );
}

/** Changes with the build of a JDK: a class archive is only good for the very JVM that made it. */
export function javaStamp(home: string): string {
  const stamp = (file: string) => {
    const stat = statSync(join(home, "lib", file), { throwIfNoEntry: false });
    return stat ? `${stat.size}:${Math.round(stat.mtimeMs)}` : "missing";
  };
  return `${stamp("modules")}/${stamp("server/libjvm.so")}`;
}

const askPython = "import sys, venv, ensurepip; print(sys.executable, sys.version_info[0], sys.version_info[1], sep='|')";

/** A Python 3.8 (or `oldest`) to 3.12 with venv: `python3` of PATH, /usr/bin, then python3.12, 3.11, … of PATH. Throws where there is none. */
export async function findPython(oldest = oldestPython): Promise<string> {
  const minors = Array.from({ length: newestPython - oldest + 1 }, (_, i) => newestPython - i);
  const names = ["python3", ...minors.map((minor) => `python3.${minor}`)];
  const candidates = names.flatMap((name) => [...pathFolders(), "/usr/bin"].map((folder) => join(folder, name)));
  const refused: string[] = [];
  for (const candidate of new Set(candidates.filter(isExecutable))) {
    let answer: string;
    try {
      answer = await run([candidate, "-c", askPython], { timeoutMs: 20_000 });
    } catch {
      refused.push(`${candidate} (no venv)`);
      continue;
    }
    const [executable, major, minor] = answer.split("|");
    if (executable && Number(major) === 3 && Number(minor) >= oldest && Number(minor) <= newestPython) return executable;
    refused.push(`${candidate} (${major}.${minor})`);
  }
  throw new Error(
    `A Python 3.${oldest} to 3.${newestPython} with venv is needed. Found: ${refused.join(", ") || "none"}. ` +
      `Install one (Debian and Ubuntu: apt install python3 python3-venv) and put it on PATH.`,
  );
}
