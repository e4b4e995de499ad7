// pm.request: before sending a draft that may be changed, afterwards a record.
function makeRequest({ method, url, headers, body }, editable) {
  const pairs = headers.map(([name, value]) => [name, value]);
  let [verb, address, content] = [method, url, body];
  const asGiven = stringify(body);
  let changed = false;
  const same = (one, other) => textOf(one).toLowerCase() === textOf(other).toLowerCase();
  const find = (name) => pairs.find((pair) => same(pair[0], name));
  function edit() {
    if (!editable) throw new TypeError("The request was sent: a test script cannot change it");
    changed = true;
  }
  function remove(header) {
    edit();
    const name = typeof header === "object" && header !== null ? header.key : header;
    for (let i = pairs.length - 1; i >= 0; i--) if (same(pairs[i][0], name)) pairs.splice(i, 1);
  }
  function add(header) {
    edit();
    pairs.push([textOf(header.key), stored(header.value)]);
  }
  function upsert(header) {
    edit();
    const pair = find(header.key);
    if (pair) pair[1] = stored(header.value);
    else add(header);
  }
  const methods = {
    add,
    upsert,
    remove,
    get: (name) => find(name)?.[1],
    has: (name) => find(name) !== undefined,
    toObject: () => Object.fromEntries(pairs),
  };
  const list = new Proxy(hidden({}, methods), {
    get: (target, name) => (typeof name === "string" && !hasOwn(methods, name) && find(name)?.[1]) || target[name],
    has: (target, name) => find(name) !== undefined || name in target,
    set(_, name, value) {
      if (editable) upsert({ key: name, value });
      return editable;
    },
    deleteProperty(_, name) {
      if (editable) remove(name);
      return editable;
    },
    ownKeys: () => [...new Set(pairs.map((pair) => pair[0])), ...keys(Object.getOwnPropertyDescriptors(methods))],
    getOwnPropertyDescriptor: (target, name) =>
      find(name) ? { value: find(name)[1], enumerable: true, configurable: true, writable: editable } : Object.getOwnPropertyDescriptor(target, name),
  });
  const request = {};
  const field = (name, get, set) =>
    defineProperty(request, name, {
      get,
      set(value) {
        if (!editable) return;
        edit();
        set(value);
      },
      enumerable: true,
    });
  field("method", () => verb, (value) => (verb = textOf(value)));
  field("url", () => address, (value) => (address = textOf(value)));
  field("body", () => content, (value) => (content = value));
  field("headers", () => list, (value) => {
    pairs.length = 0;
    for (const [name, inner] of entries(Object(value))) pairs.push([name, stored(inner)]);
  });
  // A body is a text, or an object in the shape of the call's own.
  const report = () => {
    if (!changed && stringify(content) === asGiven) return; // an object may have been changed inside
    const isBody = typeof content === "object" && content !== null && (content.mode ?? content.type) !== undefined;
    tell("request", textOf(verb), textOf(address), isBody ? "json" : "text", isBody ? stringify(content) : stored(content));
    for (const [name, value] of pairs) tell("header", name, value);
  };
  return { request: Object.preventExtensions(request), report };
}
