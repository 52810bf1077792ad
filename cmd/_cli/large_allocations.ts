import { LARGE_BYTES } from "../../lib/base/large_memory.ts";

/** The parameters of glibc's `mallopt`. */
const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;

/** More than this is not kept free at the end of the heap. */
const FREE_BYTES = 4_194_304;

/**
 * Has the system get large memory back when it is freed. Without that glibc takes the first large
 * memory that a process frees as a sign that more of its size will be needed, takes such memory from
 * its heap from then on, and keeps what is freed there between other things: after 100 unfinished
 * frames of 16 MiB a server had 600 MB that nobody used.
 *
 * It needs the permission `ffi`, which packed programs do not have; they are given the same by the
 * variables `MALLOC_MMAP_THRESHOLD_` and `MALLOC_TRIM_THRESHOLD_`. It takes about 1 ms, so it is to be
 * called when there is large memory, and not by each start.
 */
export function giveLargeMemoryBack(): void {
  if (Deno.build.os !== "linux") return;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
  try {
    const library = Deno.dlopen("libc.so.6", {
      mallopt: { parameters: ["i32", "i32"], result: "i32" },
    });
    library.symbols.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    library.symbols.mallopt(M_TRIM_THRESHOLD, FREE_BYTES);
    library.close();
  } catch {
    // Another library than glibc has its own ways.
  }
}
