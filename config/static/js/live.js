/* Live data: one WebSocket a page, opened with a single-use ticket.

   Server → page, UI messages: {"topic", "seq", "at", ...body}; also {"type": "resync", "topic"} (too much was missed)
   and {"type": "lag", "dropped"}. Page → server: {"type": "watch", "topics": [...], "after": {topic: seq}} and, for a
   topic "instance:<id>", {"channel": "system", "type": "subscribe", "instanceId": id}, whose messages carry `instanceId`.

   Each message becomes the DOM event `live:<topic>` on document, its `detail` the message. An element with
   data-live-topic (one or several, with spaces between) and data-live-src is refetched and morphed in place, at most
   once a second or each data-live-every seconds. */

const WAITS = [1, 2, 4, 8, 15, 30];
const POLL_MS = 10_000;
const REFRESH_MS = 1_000;
const SHAPES = { Live: ["good", "●"], Polling: ["warning", "◆"], Paused: ["paused", "‖"] };

const { liveTicket, liveSocket, rendered } = document.body.dataset;
const chip = document.querySelector("[data-live-state]");
const sequence = {}; // topic → last number seen
const dirty = new Set(); // topics that moved while the page was hidden or paused
const waiting = new Map(); // element → timer of its next refresh
let socket, retry, failures = 0, paused = false, announced = 0, watched = "";

const elements = () => [...document.querySelectorAll("[data-live-topic][data-live-src]")];
const topicsOf = ({ dataset }) => (dataset.liveTopic || dataset.chartTopic).split(" ");
const topics = () => [...new Set([...document.querySelectorAll("[data-live-topic], [data-chart-topic]")].flatMap(topicsOf))];
const resting = () => paused || document.hidden;

function show(text, spoken) {
  const [tone, shape] = SHAPES[text] || ["unknown", "○"];
  chip.hidden = false;
  chip.className = `chip tone-${tone}`;
  chip.replaceChildren(Object.assign(document.createElement("span"), { ariaHidden: "true", textContent: shape }), ` ${text}`);
  chip.title = paused ? "Continue live updates" : "Pause live updates";
  if (spoken) announce(spoken);
}

/* Tell a screen reader, politely and at most once in 10 s. */
function announce(text) {
  if (Date.now() - announced < 10_000) return;
  announced = Date.now();
  document.getElementById("announcer").textContent = text;
}

async function open() {
  clearTimeout(retry);
  if (paused || socket) return;
  const own = (socket = { close() {} }); // holds the place while the ticket is fetched
  try {
    const answer = await fetch(liveTicket, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) },
      body: "{}",
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`ticket ${answer.status}`);
    const { ticket } = await answer.json();
    if (socket !== own) return;
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${liveSocket}?ticket=${encodeURIComponent(ticket)}`);
    const opening = socket, deadline = setTimeout(() => opening.close(), 10_000);
    socket.onopen = () => { clearTimeout(deadline); opened(); };
    socket.onmessage = (event) => received(JSON.parse(event.data));
    socket.onclose = () => { clearTimeout(deadline); if (socket === opening) lost(); };
  } catch {
    if (socket === own) lost();
  }
}

function opened() {
  show("Live", failures && "Connection is back");
  if (failures) refetchAll();
  failures = 0;
  watch();
}

function watch() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const wanted = topics();
  watched = wanted.join();
  for (const topic of wanted) {
    if (topic.startsWith("instance:")) {
      socket.send(JSON.stringify({ channel: "system", type: "subscribe", instanceId: topic.slice(9) }));
    }
  }
  // What happened since the page was made is asked for too: numbers are the publisher's clock in milliseconds.
  const after = Object.fromEntries(wanted.map((topic) => [topic, sequence[topic] ?? Number(rendered)]));
  socket.send(JSON.stringify({ type: "watch", topics: wanted, after }));
}

function lost() {
  socket = null;
  failures += 1;
  const seconds = Math.max(1, Math.round(WAITS[Math.min(failures, WAITS.length) - 1] * (0.8 + Math.random() * 0.4)));
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (paused || socket) return;
    if (left <= 0) return open();
    if (failures < 2) show(`Reconnecting… (next try in ${left} s)`, failures === 1 && left === seconds && "Connection lost");
    retry = setTimeout(tick, 1000);
  };
  if (failures === 2) refetchAll();
  if (failures >= 2 && !paused) show("Polling");
  tick();
}

function received(message) {
  if (message.type === "lag") return refetchAll();
  const topic = message.topic ?? (message.instanceId && `instance:${message.instanceId}`);
  if (!topic) return;
  if (message.seq > (sequence[topic] ?? 0)) sequence[topic] = message.seq;
  if (message.announce) announce(message.announce);
  document.dispatchEvent(new CustomEvent(`live:${topic}`, { detail: message }));
  if (resting()) dirty.add(topic);
  else elements().filter((element) => topicsOf(element).includes(topic)).forEach(refresh);
}

/* Refetch one element, now or when its pause since the last time is over. */
function refresh(element) {
  if (waiting.has(element)) return;
  const gap = 1000 * element.dataset.liveEvery || REFRESH_MS;
  const rest = Math.max(0, gap - (Date.now() - (element.refreshedAt || 0)));
  waiting.set(element, setTimeout(() => {
    waiting.delete(element);
    if (!element.isConnected || !element.dataset.liveSrc || resting()) return;
    element.refreshedAt = Date.now();
    htmx.ajax("GET", element.dataset.liveSrc, { source: element, target: element, swap: "morph:outerHTML" }).catch(() => {});
  }, rest));
}

function refetchAll() {
  if (resting()) return topics().forEach((topic) => dirty.add(topic));
  elements().forEach(refresh);
  document.dispatchEvent(new CustomEvent("live:refetch"));
}

function pause() {
  paused = true;
  const old = socket;
  socket = null;
  clearTimeout(retry);
  old?.close();
  topics().forEach((topic) => dirty.add(topic));
}

function wake() {
  if (document.hidden || paused) return;
  if (!socket) open();
  if (dirty.size) { dirty.clear(); refetchAll(); }
}

/* A fragment that answers with another page means that the session has ended: keep what is on the page and say so. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig, elt } = event.detail;
  if (!elt.dataset?.liveSrc || !xhr.responseURL) return;
  if (new URL(xhr.responseURL).pathname === new URL(requestConfig.path, location).pathname) return;
  event.detail.shouldSwap = false;
  pause();
  show("Signed out", "Your session has ended. Reload the page to sign in.");
});

/* A live morph leaves alone what the person or a script holds: charts, open menus, ticked boxes, typed text. */
Object.assign(Idiomorph.defaults, { ignoreActiveValue: true });
Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeMorphed(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) return true;
    if (old.matches("figure.chart, [data-keep]")) return false;
    if (old.matches(".figure-value, [data-figure]") && old.textContent.trim() !== fresh.textContent.trim()) {
      setTimeout(() => old.classList.add("changed"));
      setTimeout(() => old.classList.remove("changed"), 1000);
    }
    return true;
  },
  beforeAttributeUpdated(name, element) {
    if (name === "open") return !element.matches("details, dialog");
    return !(["checked", "value"].includes(name) && element.matches("input, textarea, select"));
  },
});

if (liveTicket && chip && (topics().length || document.querySelector("[data-live]"))) {
  chip.addEventListener("click", () => {
    if (paused) {
      paused = false;
      show("Connecting…");
      wake();
    } else {
      pause();
      show("Paused");
    }
  });
  document.addEventListener("visibilitychange", wake);
  document.addEventListener("htmx:load", watchNewTopics);
  setInterval(() => { if (failures >= 2) refetchAll(); }, POLL_MS);
  window.addEventListener("pagehide", () => { const old = socket; socket = null; old?.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}

function watchNewTopics() {
  if (topics().join() !== watched) watch();
}
