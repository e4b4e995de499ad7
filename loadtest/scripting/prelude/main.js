// pm, put together for one script; run it, then tell what it left.
const MOST_TESTS = 1000;

function makeTest() {
  let count = 0;
  const waiting = new Set();
  const room = () => {
    if (count++ === MOST_TESTS) tell("log", `[Only the first ${MOST_TESTS} tests of a script are recorded]`);
    return count <= MOST_TESTS;
  };
  const passed = (name) => tell("test", name, true);
  const failed = (name, error) => tell("test", name, false, cut(textOf(error), 4000));
  function test(name, run) {
    const title = cut(textOf(name), 1000);
    if (!room()) return;
    try {
      const result = run();
      if (!(result instanceof Promise)) return void passed(title);
      const entry = { title };
      waiting.add(entry);
      const settle = (report) => (value) => waiting.delete(entry) && report(title, value);
      result.then(settle(passed), settle(failed));
    } catch (error) {
      failed(title, error);
    }
  }
  const abandoned = () => waiting.forEach(({ title }) => failed(title, "Error: the promise of this test never settled"));
  const legacy = new Proxy({}, {
    set(target, name, value) {
      if (typeof name !== "string" || (!hasOwn(target, name) && !room())) return true;
      target[name] = Boolean(value);
      tell("legacy", cut(name, 1000), target[name]);
      return true;
    },
  });
  return { test, abandoned, legacy };
}

function makePm(facts, body) {
  const { test, abandoned, legacy } = makeTest();
  const environment = makeScope("environment", facts.environment && [facts.environment]);
  const collection = makeScope("collection", facts.collections);
  const global = makeScope("globals", [facts.globals]);
  const draft = makeRequest(facts.request, facts.info.eventName === "prerequest");
  const scopes = [environment.scope, collection.scope, global.scope];
  const pm = {
    info: Object.freeze(facts.info),
    test,
    expect,
    request: draft.request,
    environment: environment.scope,
    globals: global.scope,
    collectionVariables: collection.scope,
    variables: makeVariables(facts.local, scopes),
    crypto: {
      sha256: (text) => tell("sha256", textOf(text)),
      hmacSha256: (text, key) => tell("hmacSha256", textOf(text), textOf(key)),
    },
    sendRequest() {
      throw new Error("pm.sendRequest is not available: a script has no network");
    },
  };
  if (facts.response) pm.response = makeResponse(facts.response, body);
  const finish = () => {
    abandoned();
    for (const { report } of [environment, collection, global, draft]) report();
  };
  return { pm, legacy, finish };
}

// All scripts begin from one image, the state of Math.random with it: each gets a generator of its own (sfc32).
function makeRandom([a, b, c, d]) {
  function next() {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return sum >>> 0;
  }
  for (let i = 0; i < 12; i++) next();
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

let finish = () => {};

function run(input, body, script) {
  const facts = parse(input);
  const made = makePm(facts, body);
  finish = made.finish;
  Math.random = makeRandom(facts.seed);
  Object.assign(globalThis, { pm: made.pm, console: makeConsole(facts.console), tests: made.legacy });
  const { response } = made.pm;
  if (response) {
    getters(globalThis, {
      responseBody: () => response.body,
      responseCode: () => ({ code: response.code, name: response.reason() }),
      responseHeaders: () => response.headers.toObject(),
      responseTime: () => response.responseTime,
    });
  }
  attempt(() => Function(script)());
}

function attempt(work) {
  try {
    work();
  } catch (error) {
    tell("error", cut(textOf(error), 4000));
  }
}

return { run, finish: () => attempt(() => finish()) };
