/* Plays a recording (asciinema, version 2) on a screen of the recorded size. */

const part = (name) => document.getElementById(`replay-${name}`);
const { recording, strict, xterm } = document.getElementById("replay").dataset;
const play = part("play"), at = part("at"), time = part("time"), speed = part("speed");
const LONGEST_PAUSE_S = 2, FRAME_MS = 50;

let terminal, events = [], next = 0, now = 0, timer = 0;

async function load() {
  const answer = await fetch(recording);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
  const [header, ...lines] = (await answer.text()).trim().split("\n").map((line) => JSON.parse(line));
  let before = 0, shortened = 0;
  events = lines.map(([when, kind, text]) => {
    shortened += Math.max(0, when - before - LONGEST_PAUSE_S);
    before = when;
    return { when: when - shortened, kind, text };
  });
  at.max = (events.at(-1)?.when ?? 0).toFixed(1);
  const { makeTerminal } = await import(strict);
  terminal = await makeTerminal(xterm, { cols: header.width, rows: header.height, disableStdin: true });
  terminal.open(part("screen"));
  terminal.attachCustomKeyEventHandler(() => false); // the keyboard stays with the page
  tell();
}

function advance(until) {
  let text = "";
  for (; next < events.length && events[next].when <= until; next += 1) {
    const { kind, text: shown } = events[next];
    if (kind === "o") { text += shown; continue; }
    terminal.write(text);
    text = "";
    const [cols, rows] = shown.split("x").map(Number);
    if (cols && rows) terminal.resize(cols, rows);
  }
  terminal.write(text);
  now = until;
  tell();
}

function tell() {
  at.value = now;
  time.textContent = `${Math.min(now, at.max).toFixed(0)} of ${Number(at.max).toFixed(0)} s`;
}

function stop() {
  clearInterval(timer);
  timer = 0;
  play.textContent = "Play";
}

play.addEventListener("click", () => {
  if (timer) return stop();
  if (next >= events.length) rewind();
  play.textContent = "Pause";
  timer = setInterval(() => {
    advance(now + (FRAME_MS / 1000) * speed.value);
    if (next >= events.length) stop();
  }, FRAME_MS);
});

function rewind() {
  terminal.reset();
  next = now = 0;
}

at.addEventListener("input", () => {
  const wanted = Number(at.value);
  if (wanted < now) rewind();
  advance(wanted);
});

load().catch((error) => { time.textContent = `The recording cannot be played: ${error.message}`; play.disabled = true; });
