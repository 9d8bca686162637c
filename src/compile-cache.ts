/** V8's compiled code of our modules, in the cache folder: a start takes half as long with it. Where it cannot be written, all is as without. */
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "./data-folder.ts";

/** NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE of Node's own stay what they are. */
const folder = (): string => process.env.NODE_COMPILE_CACHE ?? join(cacheFolder(), "compiled");

export const useCompileCache = (): void => void enableCompileCache(folder());

/** The environment of a process of ours: it has the cache from its first module on, and need not load what reads TypeScript. bin/howdah.js does the same. */
export const withCompileCache = <Env extends NodeJS.ProcessEnv>(env: Env) => ({ ...env, NODE_COMPILE_CACHE: folder() });

/** The environment of a thread that is to use it where this one does. */
export const sharingCompileCache = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  getCompileCacheDir() === undefined ? env : withCompileCache(env);

/** What has been loaded by now is kept, however this process or thread ends. */
export const keepCompiled = (): void => flushCompileCache();
