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
