// Values compared in depth, and written into messages.
const typeName = (value) =>
  value === null ? "null" : Array.isArray(value) ? "array" : Object.prototype.toString.call(value).slice(8, -1).toLowerCase();

function equalDeep(one, other, seen = new Map()) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (typeName(one) !== typeName(other)) return false;
  if (seen.get(one) === other) return true; // being compared further up
  seen.set(one, other);
  if (one instanceof Date) return Object.is(+one, +other);
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Error) return one.name === other.name && one.message === other.message;
  if (one instanceof Map || one instanceof Set) {
    return one.size === other.size && equalDeep([...one].sort(), [...other].sort(), seen);
  }
  if (Array.isArray(one) && one.length !== other.length) return false;
  const names = keys(one);
  return names.length === keys(other).length && names.every((name) => hasOwn(other, name) && equalDeep(one[name], other[name], seen));
}

function inspect(value, depth = 0) {
  switch (typeName(value)) {
    case "string":
      return typeof value === "string" ? `'${cut(value, 200)}'` : textOf(value);
    case "number":
      return Object.is(value, -0) ? "-0" : textOf(value);
    case "bigint":
      return `${textOf(value)}n`;
    case "function":
      return `[Function ${value.name || "without a name"}]`;
    case "date":
    case "regexp":
    case "error":
      return textOf(value);
    case "array":
      return listed(value.map((item) => (depth < 3 ? inspect(item, depth + 1) : "…")), "[", "]");
    case "map":
    case "set":
      return `${typeName(value)} ${inspect([...value], depth)}`;
    default:
      if (typeof value !== "object" || value === null) return textOf(value);
      return listed(keys(value).map((name) => `${name}: ${depth < 3 ? inspect(value[name], depth + 1) : "…"}`), "{", "}");
  }
}

function listed(items, open, close) {
  if (!items.length) return open + close;
  const more = items.length > 20 ? [`… ${items.length - 20} more`] : [];
  return cut(`${open} ${[...items.slice(0, 20), ...more].join(", ")} ${close}`, 1000);
}

// "a.b[0].c" as its steps.
const steps = (path) => (textOf(path).match(/[^.[\]]+/g) ?? []);

// The member at the end of a path: { found, value }.
function follow(value, path) {
  for (const step of path) {
    if (value === null || value === undefined || !(step in Object(value))) return { found: false, value: undefined };
    value = value[step];
  }
  return { found: true, value };
}
