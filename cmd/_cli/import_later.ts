/**
 * Imports a module when it is needed. Deno looks for a module that `import()` names by a text before
 * it runs a program, with all that this imports; one that is named by a URL it looks for now.
 *
 * @param url The module. Write its name into `new URL(…)` with `import.meta.url` right there: that
 * text is how packing finds it.
 */
export function importLater<Module>(url: URL): Promise<Module> {
  return import(url.href);
}
