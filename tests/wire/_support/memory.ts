/**
 * What the kernel says of a process's memory.
 *
 * @module
 */

/** Bytes of a field of `/proc/PID/status`: `VmRSS` is resident now, `VmHWM` the most that ever was. */
export async function memoryBytes(pid: number, field: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status);
  if (match === null) throw new Error(`Cannot read ${field} of process ${pid}`);
  return Number(match[1]) * 1024;
}
