// pm.response: what came back.
const JSON_TYPE = /^application\/([^;]+\+)?json\b/i;
const within = (from, to) => (state) => assert(state, state.value.code >= from && state.value.code <= to, `have a status from ${from} to ${to} but got ${state.value.code}`);
const exactly = (code) => (state) => assert(state, state.value.code === code, `have the status ${code} but got ${state.value.code}`);

const RESPONSE = dictionary("response", {
  status(state, wanted) {
    const got = typeof wanted === "string" ? state.value.reason() : state.value.code;
    assert(state, got === wanted, `have the status ${inspect(wanted)} but got ${inspect(got)}`);
  },
  header(state, name, ...wanted) {
    const value = state.value.headers.get(name);
    const has = value !== undefined && (!wanted.length || value === textOf(wanted[0]));
    assert(state, has, `have the header ${inspect(name)}${wanted.length ? ` of ${inspect(wanted[0])} but got ${inspect(value)}` : ""}`);
  },
  body(state, ...wanted) {
    const text = state.value.text();
    if (!wanted.length) return assert(state, text !== "", "have a body");
    const [part] = wanted;
    assert(state, part instanceof RegExp ? part.test(text) : text === textOf(part), `have the body ${inspect(part)} but got ${inspect(text)}`);
  },
  jsonBody(state, ...wanted) {
    const [path, value] = wanted;
    let parsed;
    try {
      parsed = state.value.json();
    } catch {
      return assert(state, false, "have a JSON body");
    }
    if (!wanted.length) return assert(state, true, "have a JSON body");
    if (typeof path === "object") return assert(state, equalDeep(parsed, path), `have the JSON body ${inspect(path)} but got ${inspect(parsed)}`);
    const member = follow(parsed, steps(path));
    if (wanted.length === 1) return assert(state, member.found, `have a JSON body with ${inspect(path)}`);
    assert(state, member.found && equalDeep(member.value, value), `have ${inspect(value)} at ${inspect(path)} of the JSON body but got ${inspect(member.value)}`);
  },
  ok: exactly(200),
  success: within(200, 299),
  info: within(100, 199),
  redirection: within(300, 399),
  clientError: within(400, 499),
  serverError: within(500, 599),
  error: within(400, 599),
  accepted: exactly(202),
  badRequest: exactly(400),
  unauthorized: exactly(401),
  forbidden: exactly(403),
  notFound: exactly(404),
  rateLimited: exactly(429),
  json: (state) => assert(state, JSON_TYPE.test(state.value.headers.get("content-type") ?? ""), "have a JSON content type"),
  withBody: (state) => assert(state, state.value.text() !== "", "have a body"),
});

function makeHeaders(pairs) {
  const values = new Map(pairs);
  const headers = hidden(Object.create(null), {
    get: (name) => values.get(textOf(name).toLowerCase()),
    has: (name) => values.has(textOf(name).toLowerCase()),
    toObject: () => Object.fromEntries(values),
  });
  for (const [name, value] of values) if (!hasOwn(headers, name)) defineProperty(headers, name, { value, enumerable: true });
  return headers;
}

function makeResponse(facts, body) {
  const text = () => {
    if (facts.withheld) throw new RangeError(`The body of ${facts.bodySize} bytes is too large for a script`);
    return body;
  };
  const response = {
    code: facts.code,
    status: facts.code,
    headers: makeHeaders(facts.headers),
    responseTime: facts.time,
    responseTimeWire: facts.wire,
    responseTimeQueueWait: facts.queueWait,
    reason: () => facts.reason,
    text,
    json() {
      try {
        return parse(text());
      } catch (error) {
        throw error instanceof SyntaxError ? new TypeError("Response body is not valid JSON") : error;
      }
    },
    size: () => ({ body: facts.bodySize, header: facts.headerSize, total: facts.bodySize + facts.headerSize }),
  };
  if (!facts.code) Object.assign(response, { errorCode: facts.errorCode, errorMessage: facts.errorMessage });
  // Read anew each time: `not` of one sentence must not reach the next.
  const about = { ...response };
  about.headers = response.headers;
  getters(response, { body: text, to: () => chain(about, RESPONSE) });
  return hidden(response, { toJSON: () => ({ code: facts.code, status: facts.reason, headers: facts.headers, responseTime: facts.time }) });
}
