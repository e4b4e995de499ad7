// What everything else stands on: originals that a script cannot replace afterwards, and the way out.
const { Array, Date, Error, Function, InternalError, Map, Math, Number, Object, Promise, Proxy } = globalThis;
const { RangeError, RegExp, Set, String, SyntaxError, TypeError } = globalThis;
const { stringify, parse } = JSON;
const { defineProperty, hasOwn, keys, entries } = Object;
const host = globalThis.__host;
delete globalThis.__host;

// One event for the host, or a question to it: a JSON array of plain values. Plain values have no toJSON.
function tell(...parts) {
  let line = "";
  for (let i = 0; i < parts.length; i++) line += (i ? "," : "[") + (stringify(parts[i]) ?? "null");
  return host(line + "]");
}

const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);

function textOf(value) {
  try {
    return String(value);
  } catch {
    return "A value without a text";
  }
}

class AssertionError extends Error {}
defineProperty(AssertionError.prototype, "name", { value: "AssertionError", configurable: true, writable: true });

// Runs whenever an error gets its stack, before any `catch` sees it: no script goes on after its memory was used up.
Error.prepareStackTrace = (error, frames) => {
  if (error instanceof InternalError && error.message === "out of memory") tell("memory");
  let stack = "";
  for (let i = 0; i < frames.length; i++) stack += `    at ${frames[i]}\n`;
  return stack;
};
defineProperty(Error, "prepareStackTrace", { value: undefined, configurable: true, writable: true });

// Object.create(null) with members that do not show in loops.
function hidden(target, members) {
  for (const [name, value] of entries(members)) defineProperty(target, name, { value, writable: true, configurable: true });
  return target;
}

// Members that are computed when they are read.
function getters(target, members) {
  for (const [name, get] of entries(members)) defineProperty(target, name, { get, enumerable: true, configurable: true });
  return target;
}
