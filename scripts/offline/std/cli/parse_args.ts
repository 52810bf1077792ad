export function parseArgs(): never {
  throw new Error("unwritten");
}
