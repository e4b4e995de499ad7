/* xterm.js under a Content-Security-Policy without inline styles.

   It writes rules into <style> elements and colours into style attributes, which the policy forbids. Here the rules go
   into constructed style sheets and the attributes through the element's style object, which the policy allows. */

function holderOfRules() {
  const sheet = new CSSStyleSheet(), holder = make("span");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  holder.hidden = true;
  Object.defineProperty(holder, "textContent", { set: (rules) => sheet.replaceSync(rules) });
  holder.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(holder);
  };
  return holder;
}

function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/* xterm.js makes its elements by the page's document, whichever it is told to use. */
function make(name, ...rest) {
  if (name === "style") return holderOfRules();
  const element = Document.prototype.createElement.call(document, name, ...rest);
  element.setAttribute = setAttribute;
  return element;
}

const BRIGHT = {
  black: "#1b2027", red: "#b3261e", green: "#1a7436", yellow: "#8a5200", blue: "#0a58a8", magenta: "#8e2f8a",
  cyan: "#00727a", white: "#56606b", brightBlack: "#56606b", brightRed: "#c2185b", brightGreen: "#1a7436",
  brightYellow: "#7a6a00", brightBlue: "#0a58a8", brightMagenta: "#6a3fc0", brightCyan: "#00727a", brightWhite: "#1b2027",
  background: "#ffffff", foreground: "#1b2027", cursor: "#0a58a8", selectionBackground: "#b9d6f2",
};
const DARK = {
  black: "#2b343e", red: "#ff8a80", green: "#4cc26a", yellow: "#e6b450", blue: "#74b5ff", magenta: "#e08fdc",
  cyan: "#4fd0d8", white: "#e7edf3", brightBlack: "#a3aebb", brightRed: "#ff85b0", brightGreen: "#5fd07e",
  brightYellow: "#e0c84c", brightBlue: "#74b5ff", brightMagenta: "#bfa2ff", brightCyan: "#4fd0d8", brightWhite: "#ffffff",
  background: "#171e26", foreground: "#e7edf3", cursor: "#74b5ff", selectionBackground: "#24507d",
};

function theme() {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return dark ? DARK : BRIGHT;
}

/* A terminal in the colours of the page; `url` is that of the library. */
export async function makeTerminal(url, options) {
  const { Terminal } = await import(url);
  document.createElement = make;
  const terminal = new Terminal({
    allowProposedApi: false, cursorBlink: false, fontSize: 14, minimumContrastRatio: 4.5,
    fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace', scrollback: 5000,
    theme: theme(), ...options,
  });
  document.addEventListener("themechange", () => { terminal.options.theme = theme(); });
  return terminal;
}
