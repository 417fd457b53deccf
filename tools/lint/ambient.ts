/**
 * A `deno lint` plugin: time, chance and I/O reach the engines only through the parts that they are given.
 *
 * What runs an engine in a simulation must hold all three. So the calls that fetch them from the
 * surroundings stand in a few files that wrap them, and everywhere else this plugin names the
 * replacement. The edge is free: the program, the command line, tests, benchmarks and tools.
 *
 * @module
 */

/** The files that may do something the plugin bans elsewhere, relative to the root. */
const WRAPPERS: Record<string, readonly RegExp[]> = {
  time: [/^src\/core\/clock\.ts$/],
  timers: [/^src\/core\/timers\.ts$/],
  chance: [/^src\/core\/random\.ts$/],
  io: [/^src\/\w+\/_\w+_io\.ts$/],
};

/** Source that picks or drives the real parts: nothing is banned there. */
const EDGE = [
  /_test\.ts$/,
  /(^|\/)_(testing|conformance)\w*\.ts$/,
  /^(src\/cli|tests|tools|bench)\//,
  /^(main|wasm\/build|wasm\/build_zstd|wasm\/fuzz)\.ts$/,
];

const HINTS: Record<string, string> = {
  time: "take a Clock (src/core/clock.ts) by constructor",
  timers: "take Timers (src/core/timers.ts) by constructor",
  chance: "take a Random (src/core/random.ts) by constructor",
  io: "call the room's I/O file (WRAPPERS in tools/lint/ambient.ts), or do it in src/cli",
};

/** `object.property` → which hint it belongs to. */
const BANNED_MEMBERS = new Map([
  ["Date.now", "time"],
  ["performance.now", "time"],
  ["performance.timeOrigin", "time"],
  ["AbortSignal.timeout", "timers"],
  ["Math.random", "chance"],
  ["crypto.randomUUID", "chance"],
  ["crypto.getRandomValues", "chance"],
]);

const BANNED_MODULES = /^node:(fs|fs\/promises|process|os|child_process|net|http|https|dns)$/;

const ROOT = new URL("../../", import.meta.url).pathname;

/** The path of a file below the root of the tree. */
function relativePath(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

function isFree(filename: string, topic: string): boolean {
  const path = relativePath(filename);
  return [...EDGE, ...WRAPPERS[topic]].some((pattern) => pattern.test(path));
}

function rule(visit: (report: Report) => Deno.lint.LintVisitor): Deno.lint.Rule {
  return {
    create(context) {
      return visit((node, what, topic) => {
        if (isFree(context.filename, topic)) return;
        context.report({ node, message: `Cannot use ${what} here`, hint: HINTS[topic] });
      });
    },
  };
}

type Report = (node: Deno.lint.Node, what: string, topic: string) => void;

const ambientMember = rule((report) => ({
  MemberExpression(node) {
    const property = node.property.type === "Identifier" ? node.property.name : "";
    const object = nameOf(node.object);
    const topic = BANNED_MEMBERS.get(`${object}.${property}`);
    if (topic !== undefined) report(node, `${object}.${property}`, topic);
    if (object === "Deno") report(node, `Deno.${property}`, "io");
  },
}));

const ambientDate = rule((report) => ({
  NewExpression(node) {
    if (nameOf(node.callee) === "Date" && node.arguments.length === 0) {
      report(node, "new Date() without an argument", "time");
    }
  },
}));

const ambientTimer = rule((report) => ({
  CallExpression(node) {
    const name = nameOf(node.callee);
    if (name === "setTimeout" || name === "setInterval") report(node, name, "timers");
  },
}));

const ambientImport = rule((report) => ({
  ImportDeclaration(node) {
    const isTypeOnly = node.importKind === "type";
    if (!isTypeOnly && BANNED_MODULES.test(node.source.value)) {
      report(node, node.source.value, "io");
    }
  },
}));

/** The name of `x` or of `globalThis.x`; empty for any other expression. */
function nameOf(node: Deno.lint.Node): string {
  if (node.type === "Identifier") return node.name;
  const isGlobal = node.type === "MemberExpression" && nameOf(node.object) === "globalThis";
  return isGlobal ? nameOf(node.property) : "";
}

const plugin: Deno.lint.Plugin = {
  name: "graft",
  rules: {
    "ambient-member": ambientMember,
    "ambient-date": ambientDate,
    "ambient-timer": ambientTimer,
    "ambient-import": ambientImport,
  },
};

export default plugin;
