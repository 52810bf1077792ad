/**
 * Imports a module when it is needed. If `import()` names a module by a text, Deno looks for it,
 * and for all that it imports, before it runs the program. If it names the module by a URL, Deno
 * looks for it at this call.
 *
 * @param url The module. Write its name into `new URL(…)` with `import.meta.url` right there: that
 * text is how packing finds it.
 */
export function importLater<Module>(url: URL): Promise<Module> {
  return import(url.href);
}

/**
 * A module that is loaded when it is first needed, and at hand without a promise from then on. It may
 * be named by a text: what loads it is then found by bundlers, and read, but not run, at the start.
 *
 * @example
 * ```ts
 * import { LaterModule } from "./import_later.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const later = new LaterModule(() => import("@std/bytes"));
 * assertEquals(later.module, undefined);
 * await later.load();
 * assertEquals(later.module?.concat([Uint8Array.of(1), Uint8Array.of(2)]), Uint8Array.of(1, 2));
 * ```
 */
export class LaterModule<Module> {
  /** The module, once it is loaded. */
  module: Module | undefined;
  readonly #import: () => Promise<Module>;
  #loading: Promise<void> | undefined;

  /** Loads nothing yet. */
  constructor(importModule: () => Promise<Module>) {
    this.#import = importModule;
  }

  /** Loads it, if it is not loaded. @throws what importing it failed with; it may be tried again. */
  load(): Promise<void> {
    return this.#loading ??= this.#import().then(
      (module) => void (this.module = module),
      (error) => {
        this.#loading = undefined;
        throw error;
      },
    );
  }
}
