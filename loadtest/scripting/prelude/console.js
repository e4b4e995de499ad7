// console.*: lines for the person who wrote the script.
const MOST_LINES = 1000;
const MOST_CHARACTERS = 256 * 1024;

function shown(value) {
  if (typeof value !== "object" || value === null || value instanceof Error) return textOf(value);
  try {
    return stringify(value, null, 2) ?? textOf(value);
  } catch {
    return "[Object: unserializable]";
  }
}

function makeConsole(enabled) {
  let lines = 0;
  let room = MOST_CHARACTERS;
  function log(...values) {
    if (!enabled || room < 0) return;
    let line = "";
    for (let i = 0; i < values.length; i++) line += (i ? " " : "") + shown(values[i]);
    if (lines < MOST_LINES && line.length <= room) {
      tell("log", line);
      lines += 1;
      room -= line.length;
      return;
    }
    if (lines < MOST_LINES && room) tell("log", line.slice(0, room));
    tell("log", "[The rest of the console output was cut]");
    room = -1;
  }
  return { log, info: log, warn: log, error: log, debug: log };
}
