import type { Host } from "./host.ts";
import { importLater } from "../../lib/base/import_later.ts";
import type { Log } from "./log.ts";
import type { ServiceManager } from "./service_manager.ts";

/** The variables by which a service manager says what it wants to be told, and where. */
export const MANAGER_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] as const;

/** Finds the service manager that started a server, if one did that wants to be told how it is. */
export async function openManager(host: Host, log: Log): Promise<ServiceManager | undefined> {
  // Whoever started it with few permissions is not to be asked for one more.
  const isReadable = MANAGER_VARIABLES.every((variable) =>
    Deno.permissions.querySync({ name: "env", variable }).state === "granted"
  );
  if (!isReadable) return undefined;
  const [NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC] = MANAGER_VARIABLES.map((name) =>
    host.env(name)
  );
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return undefined;
  const { ServiceManager } = await importLater<typeof import("./service_manager.ts")>(
    new URL("./service_manager.ts", import.meta.url),
  );
  return ServiceManager.open({ NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC }, log);
}
