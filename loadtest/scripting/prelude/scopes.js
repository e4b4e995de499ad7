// Variables: what a script reads and sets. Only the names it touched are told at the end.
const MOST_VALUE = 1 << 20; // characters of one variable

function stored(value) {
  if (value === undefined) return "";
  const text = typeof value === "object" ? stringify(value) : textOf(value);
  if (text.length > MOST_VALUE) throw new RangeError(`A variable may hold at most ${MOST_VALUE} characters`);
  return text;
}

function named(name) {
  const text = textOf(name);
  if (/[\x00-\x1f\x7f]/.test(text)) throw new TypeError("The name of a variable holds a control character");
  return text;
}

function cast({ value, type }) {
  const text = typeof value === "string" ? value : "";
  switch (type) {
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "json":
      try {
        return parse(text);
      } catch {
        return text;
      }
    default:
      return text;
  }
}

// `layers`: maps of entries, nearest first; only the first is written. Null where writes have no place to go.
function makeScope(kind, layers) {
  const own = layers ? new Map(entries(layers[0] ?? {})) : new Map();
  const all = [own, ...(layers ?? []).slice(1).map((layer) => new Map(entries(layer)))];
  const touched = new Set();
  const writable = Boolean(layers?.length);
  const find = (name) => all.map((layer) => layer.get(textOf(name))).find((entry) => entry && entry.enabled !== false);
  const scope = {
    get: (name) => {
      const entry = find(name);
      return entry && cast(entry);
    },
    has: (name) => find(name) !== undefined,
    set(name, value) {
      const text = stored(value);
      if (!writable) return;
      own.set(named(name), { ...own.get(named(name)), value: text });
      touched.add(named(name));
    },
    unset(name) {
      if (own.delete(textOf(name))) touched.add(textOf(name));
    },
    clear() {
      for (const name of own.keys()) scope.unset(name);
    },
    toObject() {
      const names = new Set(all.flatMap((layer) => [...layer.keys()]));
      return Object.fromEntries([...names].filter(scope.has).map((name) => [name, scope.get(name)]));
    },
  };
  const report = () => {
    for (const name of touched) {
      const entry = own.get(name);
      if (entry) tell("set", kind, name, entry.value);
      else tell("unset", kind, name);
    }
  };
  return { scope, report };
}

// pm.variables: what holds here, nearest scope first; `set` is for this execution alone.
function makeVariables(local, scopes) {
  const own = new Map(entries(local));
  const variables = {
    get: (name) => (own.has(textOf(name)) ? own.get(textOf(name)) : scopes.find((scope) => scope.has(name))?.get(name)),
    has: (name) => own.has(textOf(name)) || scopes.some((scope) => scope.has(name)),
    set(name, value) {
      const text = stored(value);
      own.set(named(name), text);
      tell("set", "local", named(name), text);
    },
    unset(name) {
      if (own.delete(textOf(name))) tell("unset", "local", textOf(name));
    },
    toObject: () => Object.assign({}, ...[...scopes].reverse().map((scope) => scope.toObject()), Object.fromEntries(own)),
    replaceIn: (text) =>
      textOf(text).replace(/\{\{([^{}]*)\}\}/g, (token, inside) => {
        const name = inside.trim();
        if (!name) return token;
        if (variables.has(name)) return stored(variables.get(name));
        return (name.startsWith("$") && tell("dynamic", name)) || token;
      }),
  };
  return variables;
}
