// pm.expect(value): what may be said of any value.
const EXPECT = dictionary("expect", {
  true: (state) => assert(state, state.value === true, "be true"),
  false: (state) => assert(state, state.value === false, "be false"),
  null: (state) => assert(state, state.value === null, "be null"),
  undefined: (state) => assert(state, state.value === undefined, "be undefined"),
  NaN: (state) => assert(state, Number.isNaN(state.value), "be NaN"),
  ok: (state) => assert(state, state.value, "be truthy"),
  exist: (state) => assert(state, state.value !== null && state.value !== undefined, "exist"),
  empty: (state) => assert(state, sizeOf(state) === 0, "be empty"),
  arguments: (state) => assert(state, typeName(state.value) === "arguments", "be arguments"),
  equal: (state, other) =>
    state.flags.has("deep")
      ? assert(state, equalDeep(state.value, other), `deeply equal ${inspect(other)}`)
      : assert(state, state.value === other, `equal ${inspect(other)}`),
  eql: (state, other) => assert(state, equalDeep(state.value, other), `deeply equal ${inspect(other)}`),
  above: (state, limit) => compared(state, limit, (value) => value > limit, "be above"),
  least: (state, limit) => compared(state, limit, (value) => value >= limit, "be at least"),
  below: (state, limit) => compared(state, limit, (value) => value < limit, "be below"),
  most: (state, limit) => compared(state, limit, (value) => value <= limit, "be at most"),
  within(state, from, to) {
    comparable(state, to);
    compared(state, from, (value) => value >= from && value <= to, `be within ${inspect(from)} and`, to);
  },
  closeTo(state, goal, delta) {
    if (typeof delta !== "number") throw new TypeError("closeTo needs a number and the distance that is allowed");
    compared(state, goal, (value) => Math.abs(value - goal) <= delta, `be within ${delta} of`);
  },
  a(state, type) {
    const wanted = textOf(type).toLowerCase();
    assert(state, typeName(state.value) === wanted, `be ${/^[aeiou]/.test(wanted) ? "an" : "a"} ${wanted}`);
  },
  instanceOf(state, kind) {
    if (typeof kind !== "function") throw new TypeError("instanceOf needs a constructor");
    assert(state, state.value instanceof kind, `be an instance of ${kind.name}`);
  },
  include: { assert: includes, before: (state) => state.flags.add("include"), carries: true },
  property: hasProperty,
  keys: hasKeys,
  members(state, list) {
    if (!Array.isArray(state.value) || !Array.isArray(list)) fail(state, "members compares two arrays");
    const same = sameness(state);
    const rest = [...state.value];
    const all = list.every((item) => {
      const index = rest.findIndex((candidate) => same(candidate, item));
      if (index >= 0) rest.splice(index, 1);
      return index >= 0;
    });
    const partly = state.flags.has("include");
    assert(state, all && (partly || !rest.length), `${partly ? "include" : "have"} the members ${inspect(list)}`);
  },
  oneOf(state, list) {
    if (!Array.isArray(list)) throw new TypeError("oneOf needs an array");
    assert(state, list.some((item) => sameness(state)(state.value, item)), `be one of ${inspect(list)}`);
  },
  length: {
    assert: (state, count) => assert(state, lengthOf(state) === count, `have the length ${inspect(count)} but got ${lengthOf(state)}`),
    before(state) {
      state.value = lengthOf(state);
    },
    carries: true,
  },
  match: (state, pattern) => assert(state, new RegExp(pattern).test(textOf(state.value)), `match ${textOf(pattern)}`),
  string: (state, part) =>
    assert(state, typeof state.value === "string" && state.value.includes(part), `contain ${inspect(part)}`),
  throw: throws,
  satisfy: (state, test) => assert(state, test(state.value), `satisfy ${inspect(test)}`),
  respondTo(state, name) {
    const owner = typeof state.value === "function" ? state.value.prototype : state.value;
    assert(state, typeof owner?.[name] === "function", `respond to ${inspect(name)}`);
  },
});

const sameness = (state) => (state.flags.has("deep") ? (one, other) => equalDeep(one, other) : (one, other) => one === other);
const isOrdered = (value) => (typeof value === "number" && !Number.isNaN(value)) || typeof value === "bigint" || value instanceof Date;

function comparable(state, limit) {
  if (!isOrdered(state.value)) fail(state, `expected ${inspect(state.value)} to be a number or a date`);
  if (!isOrdered(limit)) throw new TypeError(`${inspect(limit)} is no number or date to compare with`);
}

function compared(state, limit, holds, claim, named = limit) {
  comparable(state, limit);
  assert(state, holds(state.value), `${claim} ${inspect(named)}`);
}

function lengthOf(state) {
  const { value } = state;
  const length = value instanceof Map || value instanceof Set ? value.size : value?.length;
  if (typeof length !== "number") fail(state, `expected ${inspect(value)} to have a length`);
  return length;
}

function sizeOf(state) {
  const { value } = state;
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  if (typeof value !== "object" || value === null) fail(state, `expected ${inspect(value)} to be something that can be empty`);
  return keys(value).length;
}

function includes(state, part) {
  const { value } = state;
  const same = sameness(state);
  let holds;
  if (typeof value === "string") holds = value.includes(textOf(part));
  else if (Array.isArray(value)) holds = value.some((item) => same(item, part));
  else if (value instanceof Set) holds = [...value].some((item) => same(item, part));
  else if (value instanceof Map) holds = [...value.values()].some((item) => same(item, part));
  else if (typeof value === "object" && value !== null && typeof part === "object" && part !== null) {
    const find = state.flags.has("nested") ? (name) => follow(value, steps(name)) : (name) => follow(value, [name]);
    holds = entries(part).every(([name, wanted]) => find(name).found && same(find(name).value, wanted));
  } else fail(state, `expected ${inspect(value)} to be something that can include ${inspect(part)}`);
  assert(state, holds, `${state.flags.has("deep") ? "deeply " : ""}include ${inspect(part)}`);
}

function hasProperty(state, name, ...wanted) {
  const path = state.flags.has("nested") ? steps(name) : [name];
  const { found, value } = follow(state.value, path);
  const has = found && (!state.flags.has("own") || hasOwn(state.value, name));
  const claim = `have the property ${inspect(name)}`;
  if (!wanted.length) assert(state, has, claim);
  else assert(state, has && sameness(state)(value, wanted[0]), `${claim} of ${inspect(wanted[0])}${has ? ` but got ${inspect(value)}` : ""}`);
  if (!state.flags.has("not")) state.value = value; // the sentence goes on about it
}

function hasKeys(state, ...names) {
  if (typeof state.value !== "object" || state.value === null) fail(state, `expected ${inspect(state.value)} to be an object`);
  const first = names[0];
  const wanted = (Array.isArray(first) ? first : typeof first === "object" && first !== null ? keys(first) : names).map(textOf);
  const present = state.value instanceof Map || state.value instanceof Set ? [...state.value.keys()].map(textOf) : keys(state.value);
  const held = wanted.filter((name) => present.includes(name));
  if (state.flags.has("any")) return assert(state, held.length, `have any key of ${inspect(wanted)}`);
  const partly = state.flags.has("include");
  const holds = held.length === wanted.length && (partly || present.length === wanted.length);
  assert(state, holds, `${partly ? "include" : "have"} the keys ${inspect(wanted)} but got ${inspect(present)}`);
}

function throws(state, expected, detail) {
  if (typeof state.value !== "function") fail(state, `expected ${inspect(state.value)} to be a function`);
  let thrown;
  let happened = false;
  try {
    state.value();
  } catch (error) {
    [thrown, happened] = [error, true];
  }
  const kind = typeof expected === "function" ? expected : null;
  const text = kind ? detail : expected;
  const said = textOf(thrown instanceof Error ? thrown.message : thrown);
  const fits =
    happened &&
    (!kind || thrown instanceof kind) &&
    (text === undefined || (text instanceof RegExp ? text.test(said) : said.includes(textOf(text))));
  const claim = kind ? kind.name : text === undefined ? "an error" : `an error with ${inspect(text)}`;
  assert(state, fits, `throw ${claim}${happened ? ` but it threw ${inspect(said)}` : ""}`);
}

const expect = (value, message) => chain(value, EXPECT, message);
expect.fail = (message) => fail({ message: undefined }, message === undefined ? "pm.expect.fail()" : textOf(message));
