/* The terminal of an instance: one session of the server, shown by xterm.js, which is fetched when it is needed.

   The session outlives the socket. While the server keeps it, a cut connection is opened again and the last output is
   shown again; the id is kept for this tab, so that a reload finds its shell. */

const part = (name) => document.getElementById(`terminal-${name}`);
const root = document.getElementById("terminal"), screen = part("screen"), state = part("state");
const openButton = part("open"), endButton = part("end"), reader = part("reader");
const { instance, open, ticket, socket: socketPath, strict, xterm, fit } = root.dataset;
const KEY = `terminal:${instance}`, WAITS_S = [1, 2, 4, 8, 15], GIVE_UP_MS = 5 * 60_000, PASTE_LIMIT = 512 * 1024, PIECE = 16 * 1024;
const SHAPES = { good: "●", warning: "◆", bad: "▲", unknown: "○" };
const FINAL = { 4001: "Open in another window", 4004: "Ended", 1008: "Access has ended" };

let terminal, fitter, session = sessionStorage.getItem(KEY), socket, retry, failures = 0, cutAt = 0;

function show(tone, text) {
  state.className = `chip tone-${tone}`;
  state.replaceChildren(Object.assign(document.createElement("span"), { ariaHidden: "true", textContent: SHAPES[tone] }), ` ${text}`);
}

function offer(label) {
  openButton.hidden = !label;
  openButton.textContent = label || "";
  openButton.disabled = false;
}

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.message || `The server answered ${answer.status}`);
  return told;
}

async function prepare() {
  screen.hidden = false;
  if (terminal) return;
  const { makeTerminal } = await import(strict);
  terminal = await makeTerminal(xterm, { screenReaderMode: reader.checked });
  const { FitAddon } = await import(fit);
  terminal.loadAddon((fitter = new FitAddon()));
  terminal.open(screen);
  terminal.textarea.setAttribute("aria-label", "Type into the shell. Control Shift L leaves.");
  terminal.attachCustomKeyEventHandler(takeKey);
  terminal.onData((text) => type(text));
  terminal.onBinary((text) => socket?.readyState === WebSocket.OPEN && socket.send(Uint8Array.from(text, (char) => char.charCodeAt(0))));
  terminal.onResize(sendSize);
  new ResizeObserver(() => { if (!screen.hidden) fitter.fit(); }).observe(screen);
  fitter.fit();
}

function takeKey(event) {
  if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey) return true;
  const key = event.key.toLowerCase();
  if (key === "l") {
    event.preventDefault();
    (endButton.hidden ? openButton : endButton).focus();
    return false;
  }
  if (key === "c" && terminal.hasSelection()) {
    event.preventDefault();
    document.execCommand("copy"); // xterm puts its selection into the event
    return false;
  }
  return key !== "v"; // the browser pastes
}

function type(text) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (text.length > PASTE_LIMIT) {
    terminal.write("\r\n[Not pasted: more than 512 KiB. Send a file instead.]\r\n");
    return;
  }
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + PIECE, text.length);
    if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1])) end -= 1; // characters stay whole
    socket.send(JSON.stringify({ type: "data", data: text.slice(start, end) }));
    start = end;
  }
}

function sendSize() {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "resize", cols: terminal.cols, rows: terminal.rows }));
}

async function begin() {
  openButton.disabled = true;
  show("unknown", "Connecting…");
  try {
    await prepare();
    if (!session) {
      terminal.reset();
      session = (await ask("POST", open, { cols: terminal.cols, rows: terminal.rows })).sessionId;
      sessionStorage.setItem(KEY, session);
    }
  } catch (error) {
    show("bad", error.message);
    offer("Try again");
    return;
  }
  failures = cutAt = 0;
  connect();
}

async function connect() {
  clearTimeout(retry);
  offer("");
  let opened = false;
  try {
    const { ticket: one } = await ask("POST", ticket, {});
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${socketPath}${session}?ticket=${encodeURIComponent(one)}`);
  } catch (error) {
    return again(error.message);
  }
  socket.onopen = () => { opened = true; terminal.reset(); };
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if (told.type !== "data") return;
    terminal.write(told.data);
    if (endButton.hidden) connected();
  };
  socket.onclose = ({ code, reason }) => {
    endButton.hidden = true;
    if (code === 1000 || code === 4004 || code === 1008) return ended(FINAL[code] || "Ended", reason);
    if (code === 4001) { show("warning", FINAL[code]); return offer("Show it here"); }
    again(code === 4503 ? "The agent is offline" : code === 1001 ? reason || "The agent is gone" : opened ? "Connection lost" : "No connection");
  };
  const waiting = socket;
  setTimeout(() => { if (socket === waiting && socket.readyState === WebSocket.OPEN && endButton.hidden) connected(); }, 600);
}

function connected() {
  failures = cutAt = 0;
  show("good", "Connected");
  endButton.hidden = false;
  sendSize();
  terminal.focus();
}

function again(why) {
  cutAt ||= Date.now();
  if (Date.now() - cutAt > GIVE_UP_MS) return ended("Ended", why);
  const wait = WAITS_S[Math.min(failures++, WAITS_S.length - 1)];
  show("warning", `${why}. Next try in ${wait} s`);
  offer("Connect now");
  retry = setTimeout(connect, wait * 1000);
}

function ended(word, reason) {
  clearTimeout(retry);
  session = null;
  sessionStorage.removeItem(KEY);
  show("unknown", reason ? `${word}: ${reason}` : word);
  offer("Open a new terminal");
  if (screen.contains(document.activeElement)) openButton.focus();
}

openButton.addEventListener("click", () => (session && terminal ? connect() : begin()));
endButton.addEventListener("click", async () => {
  try {
    await ask("DELETE", `${open}/${session}`);
  } catch (error) {
    show("bad", error.message);
  }
});
reader.addEventListener("change", () => { if (terminal) terminal.options.screenReaderMode = reader.checked; });
if (session) begin();
