// The sentence of an assertion. Each word gives the same Proxy, so an unknown one is noticed wherever it stands.
const isSilent = (name) => typeof name === "symbol" || name === "then"; // what the language itself asks of any value

function chain(subject, checks, message) {
  const state = { value: subject, flags: new Set(), message };
  let pending = null; // the word that a call would be meant for
  const sentence = new Proxy(function () {}, {
    get(_, name) {
      if (isSilent(name)) return undefined;
      const before = pending;
      pending = nothing;
      if (WORDS.neutral.has(name)) {
        if (before?.carries) pending = before;
        return sentence;
      }
      if (WORDS.flags.has(name)) {
        state.flags.add(name);
        return sentence;
      }
      const check = checks.get(name);
      if (!check) throw new Error(`Unknown word in an assertion: '${name}'`);
      if (before?.before) before.before(state);
      if (check.getter) check.assert(state);
      else pending = check;
      return sentence;
    },
    apply(_, __, values) {
      const check = pending;
      pending = null;
      if (check === null) throw new TypeError("Not a function: the word before was called already");
      check.assert?.(state, ...values);
      return sentence;
    },
    set(_, name) {
      throw new Error(`An assertion has no '${textOf(name)}' to set`);
    },
  });
  return sentence;
}

const nothing = {}; // `to.be.true()` keeps working

// Fail unless `holds`, or unless it does not after `not`. `claim` reads on from "expected X to".
function assert(state, holds, claim) {
  const negated = state.flags.has("not");
  if (Boolean(holds) !== negated) return;
  fail(state, `expected ${inspect(state.value)} ${negated ? "not " : ""}to ${claim}`);
}

function fail(state, text) {
  throw new AssertionError(cut(state.message === undefined ? text : `${textOf(state.message)}: ${text}`, 4000));
}

// The table of words names what is there; both sides must agree.
function dictionary(kind, implementations) {
  const checks = new Map();
  for (const { words, getter } of WORDS[kind]) {
    const check = implementations[words[0]];
    if (!check) throw new Error(`The word '${words[0]}' has no meaning`);
    const entry = typeof check === "function" ? { assert: check, getter } : { ...check, getter };
    for (const word of words) checks.set(word, entry);
    delete implementations[words[0]];
  }
  for (const word of keys(implementations)) throw new Error(`The word '${word}' is in no table`);
  return checks;
}
