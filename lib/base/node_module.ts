/**
 * Loads a module of Node's at once, when it is first needed. An `import` of one, however far away,
 * makes every program start about 10 ms later, also those that never call it.
 */
export function nodeModule<Module>(name: `node:${string}`): Module {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): unknown };
  };
  return process.getBuiltinModule(name) as Module;
}
